// The names of the plan's enumerators, joined into one string per enum: in a shared library a table of
// pointers costs a relocation for each of them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace bantam::plan {

// "Conv2d" of OpCode::kConv2d, as GCC and clang spell it; "" where no enumerator has the value.
template <auto kValue>
constexpr std::string_view enumerator_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text = text.substr(text.find("kValue = ") + 9);
  text = text.substr(0, text.find_first_of(";]"));
  if (text.front() == '(') return {};
  text = text.substr(text.rfind(':') + 1);
  return text.front() == 'k' ? text.substr(1) : text;
}

template <typename E, size_t... kIndices>
constexpr auto join_names(std::index_sequence<kIndices...>) {
  constexpr size_t kCharacters = (enumerator_name<static_cast<E>(kIndices)>().size() + ...);
  std::array<char, kCharacters + sizeof...(kIndices) + 1> joined{};  // an empty name comes last
  size_t at = 0;
  const auto append = [&](std::string_view name) {
    for (const char c : name) joined[at++] = c;
    ++at;
  };
  (append(enumerator_name<static_cast<E>(kIndices)>()), ...);
  return joined;
}

// "Conv2d" of OpCode::kConv2d; "" where no enumerator has the value.
template <typename E>
const char* enum_name(E value) {
  static constexpr auto kJoined = join_names<E>(std::make_index_sequence<static_cast<size_t>(E::MAX) + 1>());
  const char* name = kJoined.data();
  for (size_t i = 0; i < static_cast<size_t>(value) && i <= static_cast<size_t>(E::MAX); ++i) {
    while (*name != '\0') ++name;
    ++name;
  }
  return name;
}

}  // namespace bantam::plan
