// What a search within budgets has measured, as a JSON file: an interrupted search goes on from it.
#pragma once

#include <string>
#include <vector>

#include "bantam/compiler/budgets.h"
#include "io/json_writer.h"

namespace bantam::tools {

// One object: the candidate (input null: of the model's own size), its footprint, drop (null: not judged) and
// verdict.
void write_point(JsonWriter& json, const compiler::Point& point);

class SearchFile {
 public:
  // `path` need not be there yet. `subject`: what the points depend on, such as the model's hash and the
  // options; a Failure when the file is of another one, or no such file.
  SearchFile(std::string path, std::string subject);

  const std::vector<compiler::Point>& points() const { return points_; }
  void add(const compiler::Point& point);  // and writes the file; it is whole at any time

 private:
  void read();

  std::string path_;
  std::string subject_;
  std::vector<compiler::Point> points_;
};

}  // namespace bantam::tools
