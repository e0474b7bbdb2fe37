#include "reference/array.h"

#include <algorithm>
#include <stdexcept>

namespace bantam::tests {
namespace {

size_t offset_of(const Index& shape, const Index& index) {
  if (index.size() != shape.size()) throw std::logic_error("reference: index of another rank");
  int64_t offset = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (index[i] < 0 || index[i] >= shape[i]) throw std::logic_error("reference: index out of range");
    offset = offset * shape[i] + index[i];
  }
  return static_cast<size_t>(offset);
}

}  // namespace

double Array::at(const Index& index) const { return values[offset_of(shape, index)]; }
double& Array::at(const Index& index) { return values[offset_of(shape, index)]; }

Index Array::ints() const {
  Index list;
  for (double value : values) list.push_back(static_cast<int64_t>(value));
  return list;
}

int64_t count(const Index& shape) {
  int64_t product = 1;
  for (int64_t dim : shape) product *= dim;
  return product;
}

void for_each_index(const Index& shape, const std::function<void(const Index&)>& visit) {
  Index index(shape.size());
  for (int64_t left = count(shape); left > 0; --left) {
    visit(index);
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

Array make(const Index& shape, const std::function<double(const Index&)>& value, Kind kind) {
  Array array{shape, {}, kind};
  array.values.reserve(static_cast<size_t>(count(shape)));
  for_each_index(shape, [&](const Index& index) { array.values.push_back(value(index)); });
  return array;
}

Index broadcast(const Index& a, const Index& b) {
  Index out(std::max(a.size(), b.size()), 1);
  for (const Index* shape : {&a, &b}) {
    const size_t skipped = out.size() - shape->size();
    for (size_t i = 0; i < shape->size(); ++i) {
      if ((*shape)[i] != 1) out[skipped + i] = (*shape)[i];
    }
  }
  return out;
}

double at_broadcast(const Array& array, const Index& index) {
  Index own(array.shape.size());
  const size_t skipped = index.size() - own.size();
  for (size_t i = 0; i < own.size(); ++i) own[i] = array.shape[i] == 1 ? 0 : index[skipped + i];
  return array.at(own);
}

int64_t wrap(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

}  // namespace bantam::tests
