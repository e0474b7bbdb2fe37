#include "report/show/search.h"

#include <algorithm>

#include "budget/search_file.h"
#include "io/json_writer.h"
#include "io/text.h"
#include "report/show/plots.h"

namespace bantam::tools {
namespace {

using compiler::Point;
using compiler::SearchReport;

bool on_front(const SearchReport& search, const Point& point) {
  return std::any_of(search.front.begin(), search.front.end(),
                     [&](const Point& other) { return other.candidate == point.candidate; });
}

bool is_chosen(const SearchReport& search, const Point& point) {
  return search.chosen && search.chosen->candidate == point.candidate;
}

std::string lost_text(const Point& point) {
  return point.drop ? format("%.2f%%", *point.drop * 100) : "not measured";
}

// Characters of the longest name, and of the usual ones at least.
int name_width(const SearchReport& search) {
  size_t width = 32;
  for (const Point& point : search.points) width = std::max(width, candidate_text(point.candidate).size());
  for (const compiler::Miss& miss : search.misses)
    width = std::max(width, candidate_text(miss.nearest.candidate).size());
  return static_cast<int>(width);
}

std::string row_text(const Point& point, int width) {
  return format("%-*s %9.3f ms %10s %10s %9.3f mJ  %s", width, candidate_text(point.candidate).c_str(),
                point.footprint.latency_ms, human_bytes(point.footprint.size_bytes).c_str(),
                human_bytes(point.footprint.memory_bytes).c_str(), point.footprint.energy_mj,
                lost_text(point).c_str());
}

const char* energy_text(const SearchReport& search) {
  return search.energy_measured ? "energy: measured, with all that goes on on the machine"
                                : "energy: by a model of multiply-accumulates and bytes moved";
}

// 0 to just beyond the largest: what both axes show.
struct Axis {
  double end = 0;
  void take(double value) { end = std::max(end, 1.1 * value); }
  double place(double value, double width) const { return end > 0 ? width * value / end : 0; }
};

std::vector<PlotPoint> plot_points(const SearchReport& search, const Axis& time, const Axis& lost) {
  std::vector<PlotPoint> points;
  for (const Point& point : search.points) {
    if (!point.drop) continue;
    const char* style = is_chosen(search, point) ? "b1" : on_front(search, point) ? "b0" : "less";
    points.push_back({time.place(point.footprint.latency_ms, 1), lost.place(*point.drop, 1), style,
                      candidate_text(point.candidate) + format(": %.3f ms, ", point.footprint.latency_ms) +
                          lost_text(point)});
  }
  return points;
}

std::string html_row(const SearchReport& search, const Point& point) {
  const auto cell = [](const std::string& text) { return "<td>" + escaped(text) + "</td>"; };
  const std::string style = is_chosen(search, point) ? " class=\"total\"" : "";
  return "<tr" + style + "><td>" + escaped(candidate_text(point.candidate)) +
         (is_chosen(search, point) ? ", chosen" : "") + "</td>" +
         cell(format("%.3f ms", point.footprint.latency_ms)) + cell(human_bytes(point.footprint.size_bytes)) +
         cell(human_bytes(point.footprint.memory_bytes)) +
         cell(format("%.3f mJ", point.footprint.energy_mj)) + cell(lost_text(point)) +
         cell(on_front(search, point) ? "yes" : "") + "</tr>";
}

}  // namespace

std::string search_text(const SearchReport& search) {
  const int width = name_width(search);
  std::string text = format("%-*s %12s %10s %10s %12s  %s\n", width, "network", "latency", "size", "memory",
                            "energy", "lost");
  for (const Point& point : search.points) {
    text += row_text(point, width) + (on_front(search, point) ? " *" : "") +
            (is_chosen(search, point) ? " chosen" : "") + "\n";
  }
  text += format("* no other network is as good in everything and better in something; %s\n",
                 energy_text(search));
  if (search.chosen) {
    text += format("why it stopped there: %s\n", search.reason.c_str());
    text += format("the plan as written: %.3f ms, predicted %.3f ms\n", search.written_ms,
                   search.chosen->footprint.latency_ms);
    return text;
  }
  for (const compiler::Miss& miss : search.misses)
    text += format("nearest to the budget of %-9s %s\n", (miss.budget + ":").c_str(),
                   row_text(miss.nearest, width).c_str());
  return text;
}

std::string search_json(const SearchReport& search) {
  JsonWriter json;
  const auto list = [&](const char* name, const std::vector<Point>& points) {
    json.key(name).begin_array();
    for (const Point& point : points) write_point(json, point);
    json.end_array();
  };
  json.begin_object();
  list("points", search.points);
  list("front", search.front);
  json.key("chosen");
  search.chosen ? write_point(json, *search.chosen) : static_cast<void>(json.null());
  json.field("reason", search.reason).field("energy_measured", search.energy_measured);
  json.key("written_latency_ms");
  search.chosen ? json.value(search.written_ms) : json.null();
  json.key("nearest").begin_array();
  for (const compiler::Miss& miss : search.misses) {
    json.begin_object().field("budget", miss.budget).key("point");
    write_point(json, miss.nearest);
    json.end_object();
  }
  json.end_array().end_object();
  return json.text();
}

std::string search_html(const SearchReport& search) {
  Axis time, lost;
  for (const Point& point : search.points) {
    time.take(point.footprint.latency_ms);
    lost.take(point.drop.value_or(0));
  }
  std::string rows;
  for (const Point& point : search.points) rows += html_row(search, point);
  const std::string ends =
      format("<div class=\"ends\"><span>0</span><span>latency</span><span>%.3g ms</span></div>", time.end);
  return "<h2>Networks within and beyond the budgets</h2><p>" + escaped(search.reason) +
         ". Upwards: accuracy lost, up to " + format("%.3g%%", 100 * lost.end) +
         "; to the right: time. <span class=\"key b1\"></span>chosen<span class=\"key b0\"></span>no other "
         "is "
         "better in everything<span class=\"key less\"></span>others. " +
         energy_text(search) + ".</p><div class=\"card\">" +
         scatter_plot(plot_points(search, time, lost), "accuracy lost over latency") + ends +
         "</div><div class=\"card "
         "wide\"><table><tr><th>network</th><th>latency</th><th>size</th><th>memory</th>"
         "<th>energy</th><th>lost</th><th>on the front</th></tr>" +
         rows + "</table></div>";
}

}  // namespace bantam::tools
