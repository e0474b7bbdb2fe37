#include "report/show/plots.h"

#include <algorithm>

#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr double kWidth = 192, kHeight = 64;  // of a histogram, in its own units

std::string open_svg(double width, double height, const char* style, const std::string& title) {
  return format("<svg class=\"%s\" viewBox=\"0 0 %g %g\" preserveAspectRatio=\"none\" role=\"img\"><title>",
                style, width, height) +
         escaped(title) + "</title>";
}

std::string rectangle(double x, double y, double width, double height, const char* style) {
  return format("<rect class=\"%s\" x=\"%.3g\" y=\"%.3g\" width=\"%.3g\" height=\"%.3g\"/>", style, x, y,
                width, height);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        // Controls are no characters of a page.
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return result;
}

std::string bar_plot(std::span<const BarPart> parts, const std::string& title) {
  std::string svg = open_svg(100, 10, "bar", title);
  for (const BarPart& part : parts) {
    const double begin = std::clamp(std::min(part.begin, part.end), 0.0, 1.0);
    const double end = std::clamp(std::max(part.begin, part.end), 0.0, 1.0);
    if (end > begin) svg += rectangle(100 * begin, 0, std::max(100 * (end - begin), 0.4), 10, part.style);
  }
  return svg + "</svg>";
}

std::string scatter_plot(std::span<const PlotPoint> points, const std::string& title) {
  constexpr double kSide = 100, kPoint = 2;  // half of it wide: plots of points are twice as wide as high
  std::string svg = open_svg(kSide, kSide, "scatter", title);
  for (const PlotPoint& point : points) {
    svg += format("<ellipse class=\"%s\" cx=\"%.3g\" cy=\"%.3g\" rx=\"%.3g\" ry=\"%.3g\"><title>",
                  point.style, kSide * std::clamp(point.x, 0.0, 1.0),
                  kSide * (1 - std::clamp(point.y, 0.0, 1.0)), kPoint / 3, kPoint) +
           escaped(point.title) + "</title></ellipse>";
  }
  return svg + "</svg>";
}

std::string histogram_plot(const TensorHistogram& histogram) {
  // What is shown: values and range together.
  const double first = std::min(histogram.min, histogram.low), last = std::max(histogram.max, histogram.high);
  const double span = std::max(last - first, 1e-30);
  const auto place = [&](double x) { return kWidth * (x - first) / span; };
  const double most = static_cast<double>(std::max<int64_t>(1, *std::ranges::max_element(histogram.counts)));
  std::string svg = open_svg(
      kWidth, kHeight, "hist",
      histogram.tensor + format(": values %.4g to %.4g, int8 range %.4g to %.4g", double{histogram.min},
                                double{histogram.max}, double{histogram.low}, double{histogram.high}));
  svg += rectangle(place(histogram.low), 0, place(histogram.high) - place(histogram.low), kHeight, "range");
  const double width = (histogram.max - histogram.min) / TensorHistogram::kBins;
  for (int i = 0; i < TensorHistogram::kBins; ++i) {
    const int64_t count = histogram.counts[static_cast<size_t>(i)];
    if (count == 0) continue;
    const double height = std::max(kHeight * std::sqrt(static_cast<double>(count) / most), 1.0);
    const double x = place(histogram.min + i * width);
    svg += rectangle(x, kHeight - height, std::max(kWidth * width / span, 0.5), height, "b0");
  }
  for (const float end : {histogram.low, histogram.high})
    svg += rectangle(std::clamp(place(end) - 0.6, 0.0, kWidth - 1.2), 0, 1.2, kHeight, "limit");
  return svg + "</svg>";
}

}  // namespace bantam::tools
