// What a search within budgets has seen, as text for a terminal, as one JSON object, and as a part of a page.
#pragma once

#include <string>

#include "bantam/compiler/budgets.h"

namespace bantam::tools {

std::string search_text(const compiler::SearchReport& search);
std::string search_json(const compiler::SearchReport& search);
// Table and plot, time against accuracy.
std::string search_html(const compiler::SearchReport& search);

}  // namespace bantam::tools
