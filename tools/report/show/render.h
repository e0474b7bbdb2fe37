// A report as text for a terminal, as one JSON object, and as a page for a browser.
#pragma once

#include <string>

#include "report/report.h"

namespace bantam::tools {

enum class View { kDiff, kExplain };  // what the text is about; JSON and the page show everything

std::string to_text(const Report& report, View view);
std::string to_json(const Report& report);
// One file without references to others; works without scripts.
std::string to_html(const Report& report);

// Of how a report shows numbers everywhere.
std::string sqnr_text(double noise_to_signal);                   // "35.2 dB"; "equal" for 0
std::string percent_text(double share);                          // "12.3%"
std::string sparsity_text(const Report& report);                 // which share of the weights is not stored
std::string share_of_noise(const Report& report, double noise);  // of the whole; "" when there is none

}  // namespace bantam::tools
