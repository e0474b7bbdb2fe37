// What a search saw, as it is shown.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "report/show/search.h"

namespace bantam::tools {
namespace {

using compiler::Point;
using compiler::Precision;
using compiler::SearchReport;
using Json = nlohmann::json;

SearchReport sample() {
  SearchReport search;
  const Point whole{{Precision::kInt8, 0}, {2, 2000, 3000, 0.2}, 0.001, "verdict"};
  const Point pruned{{Precision::kInt8, 0.25}, {1, 1000, 1500, 0.1}, 0.02, "verdict"};
  const Point worse{{Precision::kFp32, 0}, {4, 8000, 9000, 0.8}, 0.03, "verdict"};
  search.points = {whole, pruned, worse};
  search.front = {pruned, whole};
  search.chosen = pruned;
  search.reason = "with 30 % pruned, a < b";
  search.written_ms = 1.01;
  return search;
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("search shown: as text with the front, the choice, the reason and the time of what was written") {
  const std::string text = search_text(sample());
  CHECK(count_of(text, " *") == 2);
  CHECK(count_of(text, " chosen\n") == 1);
  CHECK(text.find("int8, 25 % of the macs pruned") != std::string::npos);
  CHECK(text.find("with 30 % pruned") != std::string::npos);
  CHECK(text.find("1.010 ms, predicted 1.000 ms") != std::string::npos);
  CHECK(text.find("nearest") == std::string::npos);
}

TEST_CASE("search shown: without a choice, what comes nearest to each budget") {
  SearchReport search = sample();
  search.chosen.reset();
  search.misses = {{"latency", search.points[0]}, {"accuracy", search.points[1]}};
  const std::string text = search_text(search);
  CHECK(count_of(text, "nearest to the budget of") == 2);
  CHECK(text.find("chosen") == std::string::npos);
  const Json json = Json::parse(search_json(search));
  CHECK(json["chosen"].is_null());
  CHECK(json["written_latency_ms"].is_null());
  REQUIRE(json["nearest"].size() == 2);
  CHECK(json["nearest"][1]["budget"] == "accuracy");
  CHECK(json["nearest"][1]["point"]["pruned"] == 0.25);
}

TEST_CASE("search shown: JSON holds every point with its numbers") {
  const Json json = Json::parse(search_json(sample()));
  REQUIRE(json["points"].size() == 3);
  CHECK(json["front"].size() == 2);
  const Json& point = json["chosen"];
  CHECK(point["precision"] == "int8");
  CHECK(point["pruned"] == 0.25);
  CHECK(point["mixed"] == false);
  CHECK(point["latency_ms"] == 1.0);
  CHECK(point["size_bytes"] == 1000);
  CHECK(point["memory_bytes"] == 1500);
  CHECK(point["energy_mj"] == 0.1);
  CHECK(point["drop"] == 0.02);
  CHECK(json["written_latency_ms"] == 1.01);
  CHECK(json["energy_measured"] == false);
}

TEST_CASE("search shown: a smaller input is named everywhere, and its row stands in line") {
  SearchReport search = sample();
  search.points[1].candidate = {Precision::kInt8, 0.25, true, {160, 192}};
  search.chosen = search.front[0] = search.points[1];
  const std::string text = search_text(search),
                    name = "int8 and float, input 160x192, 25 % of the macs pruned";
  CHECK(count_of(text, name) == 1);
  const size_t first = text.find("2.000 ms"), second = text.find("1.000 ms");
  CHECK(first - text.rfind('\n', first) == second - text.rfind('\n', second));
  const Json json = Json::parse(search_json(search));
  CHECK(json["chosen"]["input"] == Json{{"height", 160}, {"width", 192}});
  CHECK(json["points"][0]["input"].is_null());
  CHECK(count_of(search_html(search), name) >= 2);  // in the table and on the plot
}

TEST_CASE("search shown: a point on the page for each network, marked as in the table") {
  const std::string html = search_html(sample());
  CHECK(count_of(html, "<ellipse") == 3);
  CHECK(count_of(html, "<ellipse class=\"b1\"") == 1);
  CHECK(count_of(html, "<ellipse class=\"b0\"") == 1);
  CHECK(count_of(html, "<ellipse class=\"less\"") == 1);
  CHECK(count_of(html, "<tr") == 4);
  CHECK(html.find("a &lt; b") != std::string::npos);
}

}  // namespace
}  // namespace bantam::tools
