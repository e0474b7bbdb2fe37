// The page as a browser shows it. Skipped where there is none.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "data/image.h"
#include "report/show/render.h"
#include "sample_report.h"
#include "temporary_directory.h"

namespace bantam::tests {
namespace {

using tools::TemporaryDirectory;

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char buffer[4096];
  while (size_t got = std::fread(buffer, 1, sizeof(buffer), pipe)) text.append(buffer, got);
  ::pclose(pipe);
  return text;
}

std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    if (std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0) return name;
  }
  return "";
}

std::string headless(const TemporaryDirectory& dir, const std::string& more) {
  return "timeout 120 " + browser() +
         " --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir=" + dir.file("profile") +
         " " + more + " file://" + dir.file("report.html") + " 2>/dev/null";
}

// Says in the title how wide the page's content is and how many plots have no size.
constexpr const char* kMeasure =
    "<script>const svgs=[...document.querySelectorAll('svg')];"
    "const "
    "flat=svgs.filter(s=>s.getBoundingClientRect().width<20||s.getBoundingClientRect().height<5).length;"
    "document.title='width '+document.documentElement.scrollWidth+' of '+window.innerWidth+', flat '+flat;"
    "</script></body>";

std::string measured_page() {
  std::string page = to_html(sample_report(64));
  return page.replace(page.find("</body>"), 7, kMeasure);
}

TEST_CASE("a browser shows every plot of the page, on a screen and on a phone") {
  if (browser().empty()) SKIP("no chromium and no google-chrome here");
  const TemporaryDirectory dir;
  dir.write("report.html", measured_page());
  for (const int width : {1200, 500}) {
    INFO(width);
    const std::string size = " --window-size=" + std::to_string(width) + ",1600";
    const std::string dom = output_of(headless(dir, "--dump-dom" + size));
    CHECK(count_of(dom, "<svg class=\"bar\"") == 6 + 3 * 64);
    CHECK(count_of(dom, "<svg class=\"hist\"") == 64);
    const std::string number = std::to_string(width);
    INFO(dom.substr(dom.find("<title>"), 60));
    CHECK(dom.find("<title>width " + number + " of " + number + ", flat 0</title>") != std::string::npos);
    const std::string shot = dir.file("shot.png");
    std::filesystem::remove(shot);
    output_of(headless(dir, "--screenshot=" + shot + size));
    const tools::Image image = tools::decode_image(shot);
    CHECK(image.width == width);
    std::set<std::array<uint8_t, 3>> colors;
    for (size_t i = 0; i + 2 < image.pixels.size(); i += 3)
      colors.insert({image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
    CHECK(colors.size() > 50);  // bars, text with its smooth edges
  }
}

}  // namespace
}  // namespace bantam::tests
