// Reports as text, JSON and a page.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <vector>

#include "report/show/render.h"
#include "sample_report.h"

namespace bantam::tests {
namespace {

using Json = nlohmann::json;

// Whether every tag of a page is closed, in order; "" or what is wrong.
std::string unbalanced(const std::string& page) {
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at)) {
    const size_t end = page.find('>', at);
    if (end == std::string::npos) return "an open <";
    const std::string tag = page.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    if (count_of(tag, "\"") % 2 != 0) return "an open quote in " + tag;
    if (!tag.starts_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    } else if (open.empty() || open.back() != tag.substr(1)) {
      return "a stray </" + tag.substr(1) + ">";
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "an open " + open.back();
}

TEST_CASE("the check of pages sees what is unbalanced") {
  CHECK(unbalanced("<a><b/></a>").empty());
  CHECK_FALSE(unbalanced("<a><b></a>").empty());
  CHECK_FALSE(unbalanced("<a>").empty());
  CHECK_FALSE(unbalanced("</a>").empty());
  CHECK_FALSE(unbalanced("<a x=\"1>").empty());
}

TEST_CASE("the page is well-formed, whole, and needs no other file") {
  const std::string page = to_html(sample_report(70));
  CHECK(unbalanced(page) == "");
  for (const char* reference : {"http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"}) {
    INFO(reference);
    CHECK(page.find(reference) == std::string::npos);
  }
  CHECK(count_of(page, "<svg class=\"bar\"") ==
        6 + 3 * 70);  // causes and their sum; SQNR, time, error of ops
  CHECK(count_of(page, "<svg class=\"hist\"") == 70);
  CHECK(count_of(page, "class=\"limit\"") == 2 * 70);
  CHECK(page.find("&lt;script&gt;&quot;first&quot; &amp; last&lt;/script&gt;") != std::string::npos);
  CHECK(page.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(page.find("of the weights zero, not stored") != std::string::npos);
}

TEST_CASE("a page without samples is about ops and time") {
  tools::Report report = sample_report(3);
  report.samples = report.own_samples = 0;
  report.steps.clear();
  report.histograms.clear();
  report.agreement.reset();
  report.noise = 0;
  for (tools::OpReport& op : report.ops) op.switched = false, op.distance = {};
  const std::string page = to_html(report);
  CHECK(unbalanced(page) == "");
  CHECK(count_of(page, "<svg class=\"bar\"") == 3);
}

TEST_CASE("JSON holds what the page shows") {
  const Json json = Json::parse(to_json(sample_report(5)));
  CHECK(json["ops"].size() == 5);
  CHECK(json["layers"].size() == 5);
  CHECK(json["ops"][0]["notes"][0] == "stays float32: it has no int8 kernel");
  CHECK(json["causes"].size() == 5);
  double sum = 0;
  for (const Json& cause : json["causes"]) sum += cause["noise"].get<double>();
  CHECK(std::fabs(sum - json["noise"].get<double>()) < 1e-12);
  CHECK(json["agreement"] == 0.75);
  CHECK(json["ops"][0]["sparsity"] == 0.5);
  CHECK(json["weights_zeros"] == 500);
  CHECK(json["suggestions"][0]["gain_db"] == 1.5);
}

TEST_CASE("text says what each command is about") {
  const tools::Report report = sample_report(2);
  const std::string diff = to_text(report, tools::View::kDiff),
                    explain = to_text(report, tools::View::kExplain);
  CHECK(diff.find("weight rounding                    60.0%") != std::string::npos);
  CHECK(diff.find("clipping                          -20.0%") != std::string::npos);
  CHECK(diff.find("acting together") != std::string::npos);
  CHECK(explain.find("Conv2d.int8") != std::string::npos);
  CHECK(explain.find("stays float32") != std::string::npos);
  CHECK(explain.find("predicted +1.5 dB") != std::string::npos);
  CHECK(explain.find(
            "25.0% of 2.00 k weights are zero and not stored: the plan takes 2.00 kB instead of 3.50 kB") !=
        std::string::npos);
}

}  // namespace
}  // namespace bantam::tests
