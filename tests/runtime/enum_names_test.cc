// Names made by the compiler's own spelling are those of the schema.
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "enum_names.h"
#include "plan_generated.h"

namespace bantam {
namespace {

template <typename E>
void check_names(const char* const* names) {
  for (size_t i = 0; i <= static_cast<size_t>(E::MAX); ++i) {
    CHECK("k" + std::string(plan::enum_name(static_cast<E>(i))) == names[i]);
  }
  CHECK(std::string_view(plan::enum_name(static_cast<E>(static_cast<size_t>(E::MAX) + 1))).empty());
  CHECK(std::string_view(plan::enum_name(static_cast<E>(255))).empty());
}

TEST_CASE("Names of enumerators") {
  check_names<plan::OpCode>(plan::EnumNamesOpCode());
  check_names<plan::UnaryKind>(plan::EnumNamesUnaryKind());
  check_names<plan::BinaryKind>(plan::EnumNamesBinaryKind());
  check_names<plan::ReduceKind>(plan::EnumNamesReduceKind());
}

}  // namespace
}  // namespace bantam
