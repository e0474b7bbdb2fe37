#include <algorithm>

#include "io/text.h"
#include "report/show/plots.h"
#include "report/show/render.h"
#include "report/show/search.h"

namespace bantam::tools {
namespace {

constexpr const char* kStyle =
#include "report/show/html_style.inc"
    ;
constexpr const char* kOwnStyles[kOwnCauses] = {"b0", "b1", "b2"};

std::string element(const char* tag, const char* style, const std::string& content) {
  return format("<%s class=\"%s\">", tag, style) + content + format("</%s>", tag);
}

std::string tile(const std::string& value, const std::string& label) {
  return element("div", "tile", "<b>" + escaped(value) + "</b><span>" + escaped(label) + "</span>");
}

std::string number(const std::string& text) { return element("span", "number", escaped(text)); }

std::string tiles(const Report& report) {
  std::string html;
  if (report.samples > 0) html += tile(sqnr_text(report.noise), "SQNR at the output");
  if (report.agreement) {
    html += tile(percent_text(static_cast<double>(report.agreement->same) /
                              static_cast<double>(std::max<int64_t>(1, report.agreement->samples))),
                 "best class as in float32");
  }
  if (report.samples > 0) html += tile(std::to_string(report.samples), "samples compared");
  if (report.total_ms >= 0) html += tile(format("%.3g ms", report.total_ms), "a run, on one thread");
  html += tile(human_bytes(report.plan_bytes), "plan") + tile(human_bytes(report.arena_bytes), "arena") +
          tile(human_count(report.macs), "multiply-accumulates");
  if (report.weights_zeros > 0) {
    const double share =
        static_cast<double>(report.weights_zeros) / static_cast<double>(report.weights_count);
    html += tile(percent_text(share),
                 "of the weights zero, not stored: " + human_bytes(report.left_out_bytes) + " less");
  }
  return element("div", "tiles", html);
}

std::string header(const Report& report) {
  std::string html = "<h1>" + escaped(report.plan) + "</h1><p>" + escaped(report.precision);
  if (!report.model.empty()) html += ", compared with " + escaped(report.model) + " in float32";
  if (!report.options.empty()) html += "<br/>compiled with <code>" + escaped(report.options) + "</code>";
  if (!report.calibration.empty()) html += "<br/>calibrated on " + escaped(report.calibration);
  return html + "</p>";
}

std::string suggestions(const Report& report) {
  if (report.suggestions.empty() && report.unmatched == 0) return "";
  std::string html;
  for (const Suggestion& suggestion : report.suggestions) {
    html += "<li>" + escaped(suggestion.text) +
            format(" &#8212; predicted %s+%.1f dB</li>", suggestion.at_most ? "at most " : "",
                   suggestion.gain_db);
  }
  if (report.unmatched > 0) {
    html += format(
        "<li>%d ops with weights have no counterpart in the float32 model: their error counts as the last "
        "cause</li>",
        report.unmatched);
  }
  return "<h2>What would help</h2><div class=\"card\"><ul>" + html + "</ul></div>";
}

std::string cause_row(const std::string& cause, const std::string& plot, const std::string& share,
                      const std::string& sqnr, const char* style) {
  return element(
      "div", style,
      "<span>" + escaped(cause) + "</span>" + element("span", "plot", plot) + number(share) + number(sqnr));
}

std::string waterfall(const Report& report) {
  if (report.steps.empty() || !(report.noise > 0)) return "";
  double largest = 0;
  for (const Step& step : report.steps) largest = std::max(largest, step.noise_after);
  std::string rows = cause_row("cause", "", "of error", "SQNR after", "row head cause");
  double before = 0;
  for (const Step& step : report.steps) {
    const BarPart part{before / largest, step.noise_after / largest, step.noise < 0 ? "less" : "b0"};
    const std::string share = share_of_noise(report, step.noise);
    rows += cause_row(step.cause, bar_plot({&part, 1}, step.cause + ": " + share), share,
                      sqnr_text(step.noise_after), "row cause step");
    before = step.noise_after;
  }
  const BarPart whole{0, report.noise / largest, "b3"};
  rows += cause_row("together", bar_plot({&whole, 1}, "together"), share_of_noise(report, report.noise),
                    sqnr_text(report.noise), "row cause total");
  return "<h2>The error by cause</h2><p>From the model as it is written to the plan: how much each "
         "approximation "
         "adds to the squared error at the output. Grey takes some of it away.</p>" +
         element("div", "card", rows);
}

// What the bars of the ops are relative to.
struct Scales {
  double sqnr = 0, ms = 0, own = 0;
  explicit Scales(const Report& report) {
    for (const OpReport& op : report.ops) {
      const double db = op.distance.elements > 0 ? op.distance.sqnr() : 0;
      if (std::isfinite(db)) sqnr = std::max(sqnr, db);
      ms = std::max(ms, op.ms);
      own = std::max(own, op.own_noise());
    }
  }
};

std::string cell(const std::string& plot, const std::string& text) {
  return element("div", "cell", plot + number(text));
}

std::string sqnr_cell(const OpReport& op, const Scales& scales) {
  if (op.distance.elements == 0) return cell("<span></span>", "");
  const double db = op.distance.sqnr();
  const BarPart part{0, std::isfinite(db) && scales.sqnr > 0 ? db / scales.sqnr : 1, "b3"};
  const std::string text = sqnr_text(op.distance.ratio());
  return cell(bar_plot({&part, 1}, op.name + ": " + text), text);
}

std::string time_cell(const Report& report, const OpReport& op, const Scales& scales) {
  if (op.ms < 0) return cell("<span></span>", "");
  const BarPart part{0, scales.ms > 0 ? op.ms / scales.ms : 0, "b3"};
  const std::string text = report.total_ms > 0 ? percent_text(op.ms / report.total_ms) : "";
  return cell(bar_plot({&part, 1}, op.name + format(": %.4g ms, ", op.ms) + text), text);
}

std::string own_cell(const Report& report, const OpReport& op, const Scales& scales) {
  if (!op.switched || !(scales.own > 0)) return cell("<span></span>", "");
  BarPart parts[kOwnCauses];
  std::string title = op.name;
  double end = 0;
  for (size_t c = 0; c < kOwnCauses; ++c) {
    const double size = std::max(op.own[c], 0.0) / scales.own;
    parts[c] = {end, end + size, kOwnStyles[c]};
    end += size;
    title += format("%s %s ", c == 0 ? ":" : ",", kOwnCauseNames[c]) + share_of_noise(report, op.own[c]);
  }
  return cell(bar_plot(parts, title), share_of_noise(report, op.own_noise()));
}

std::string op_row(const Report& report, const OpReport& op, const Scales& scales) {
  std::string what = element("div", "name", escaped(op.name)) +
                     element("div", "kind", escaped(op.op + ", " + op.dtype + ", kernel " + op.kernel));
  for (const std::string& note : op.notes) what += element("div", "note", escaped(note));
  return element("div", "row op",
                 element("div", "what", what) + sqnr_cell(op, scales) + time_cell(report, op, scales) +
                     own_cell(report, op, scales));
}

std::string ops(const Report& report) {
  const Scales scales(report);
  std::string rows =
      "<div class=\"row head op\"><span class=\"what\">op</span><span>SQNR of its output</span>"
      "<span>share of time</span><span>error it makes alone</span></div>";
  for (const OpReport& op : report.ops) rows += op_row(report, op, scales);
  std::string legend;
  if (report.own_samples > 0) {
    legend = "<p>Error at the output when only this op is approximated, measured on " +
             std::to_string(report.own_samples) + " samples:<br/>";
    for (size_t c = 0; c < kOwnCauses; ++c)
      legend += format("<span class=\"key %s\"></span>%s", kOwnStyles[c], kOwnCauseNames[c]);
    legend += "<br/>Acting together, and on the samples that were not measured so: ";
    for (size_t c = 0; c < kOwnCauses; ++c) {
      legend +=
          format("%s%s ", c == 0 ? "" : ", ", kOwnCauseNames[c]) + share_of_noise(report, report.together[c]);
    }
    legend += " of the error.</p>";
  }
  return "<h2>Op by op</h2>" + legend + element("div", "card", rows);
}

std::string histograms(const Report& report) {
  if (report.histograms.empty()) return "";
  std::string cards;
  for (const TensorHistogram& histogram : report.histograms) {
    const std::string ends = format("<span>%.3g</span><span>clipped %s</span><span>%.3g</span>",
                                    static_cast<double>(std::min(histogram.min, histogram.low)),
                                    format("%.2g%%", 100 * histogram.clipped).c_str(),
                                    static_cast<double>(std::max(histogram.max, histogram.high)));
    cards += element("div", "card",
                     "<span class=\"name\" title=\"" + escaped(histogram.tensor) + "\">" +
                         escaped(histogram.tensor) + "</span>" + histogram_plot(histogram) +
                         element("div", "ends", ends));
  }
  return "<h2>Activations and their int8 ranges</h2><p>Values in float32, on a scale of roots; the tinted "
         "part, "
         "between the marks, is what int8 holds.</p>" +
         element("div", "grid", cards);
}

std::string notes(const Report& report) {
  if (report.notes.empty()) return "";
  std::string items;
  for (const std::string& note : report.notes) items += "<li>" + escaped(note) + "</li>";
  return "<h2>Notes of the compiler</h2><ul>" + items + "</ul>";
}

}  // namespace

std::string to_html(const Report& report) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\"/><title>" +
         escaped(report.plan) + "</title><style>" + kStyle + "</style></head>\n<body>" + header(report) +
         tiles(report) + (report.search ? search_html(*report.search) : "") + suggestions(report) +
         waterfall(report) + ops(report) + histograms(report) + notes(report) + "</body></html>\n";
}

}  // namespace bantam::tools
