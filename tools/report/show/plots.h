// Plots as SVG for a page: shapes only. Texts stand beside them in HTML, which wraps and scales by itself.
#pragma once

#include <span>
#include <string>

#include "report/report.h"

namespace bantam::tools {

std::string escaped(const std::string& text);  // for HTML and SVG, attributes included

struct BarPart {
  double begin = 0, end = 0;  // 0..1 of the plot's width
  const char* style = "";     // a class of the page: b0, b1, ...
};
// A horizontal bar of parts; `title` is shown under the pointer and read aloud.
std::string bar_plot(std::span<const BarPart> parts, const std::string& title);

struct PlotPoint {
  double x = 0, y = 0;  // 0..1 of the plot's width and height, from below
  const char* style = "";
  std::string title;
};
std::string scatter_plot(std::span<const PlotPoint> points, const std::string& title);

// The counts, on a scale of their roots so that few show beside many, with the range's ends marked.
std::string histogram_plot(const TensorHistogram& histogram);

}  // namespace bantam::tools
