#include "data/npy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr char kMagic[] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};
constexpr uint32_t kMaxHeader = 1 << 16;
constexpr size_t kMaxDims = 16;

struct StoredType {
  std::string_view name;  // numpy's, without the byte order
  plan::DType dtype;
  size_t size;
};
constexpr StoredType kTypes[] = {
    {"f4", plan::DType::kFloat32, 4}, {"f8", plan::DType::kFloat32, 8}, {"i8", plan::DType::kInt64, 8},
    {"i4", plan::DType::kInt32, 4},   {"i1", plan::DType::kInt8, 1},    {"u1", plan::DType::kUInt8, 1},
    {"b1", plan::DType::kBool, 1},
};

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// Reads the Python dictionary that describes the array: {'descr': '<f4', 'fortran_order': False, 'shape': (2,
// 3), }
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  std::optional<Header> parse() {
    Header header;
    bool descr = false, order = false, shape = false;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':')) return std::nullopt;
      if (key == "descr") {
        descr = string(header.descr);
      } else if (key == "fortran_order") {
        order = boolean(header.fortran_order);
      } else if (key == "shape") {
        shape = tuple(header.shape);
      } else {
        return std::nullopt;
      }
      if (!take(',') && !peek('}')) return std::nullopt;
    }
    skip_space();
    if (!rest_.empty() || !descr || !order || !shape) return std::nullopt;
    return header;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && std::strchr(" \t\r\n", rest_[0]) != nullptr && rest_[0] != '\0')
      rest_.remove_prefix(1);
  }
  bool peek(char c) {
    skip_space();
    return !rest_.empty() && rest_[0] == c;
  }
  bool take(char c) {
    if (!peek(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool word(std::string_view text) {
    skip_space();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool string(std::string& out) {
    char quote = peek('\'') ? '\'' : '"';
    if (!take(quote)) return false;
    size_t end = rest_.find(quote);
    if (end == std::string_view::npos) return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool boolean(bool& out) {
    out = word("True");
    return out || word("False");
  }
  bool number(int64_t& out) {
    skip_space();
    size_t digits = 0;
    out = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') {
      if (digits >= 18) return false;
      out = out * 10 + (rest_[digits] - '0');
      ++digits;
    }
    rest_.remove_prefix(digits);
    take('L');  // as Python 2 wrote it
    return digits > 0;
  }
  bool tuple(std::vector<int64_t>& out) {
    if (!take('(')) return false;
    while (!take(')')) {
      int64_t dim = 0;
      if (out.size() == kMaxDims || !number(dim)) return false;
      out.push_back(dim);
      if (!take(',') && !peek(')')) return false;
    }
    return true;
  }

  std::string_view rest_;
};

// Bytes of all elements, or nothing when that does not fit into 62 bits.
std::optional<uint64_t> data_bytes(std::span<const int64_t> shape, size_t element) {
  uint64_t bytes = element;
  bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  if (empty) return 0;
  for (int64_t dim : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes) || bytes >> 62 != 0)
      return std::nullopt;
  }
  return bytes;
}

const StoredType& stored_type(const std::string& path, const std::string& descr) {
  std::string_view name = descr;
  bool swapped = name.starts_with('>');
  if (!name.empty() && std::strchr("<>|=", name[0]) != nullptr) name.remove_prefix(1);
  for (const StoredType& type : kTypes) {
    if (type.name == name && (!swapped || type.size == 1)) return type;
  }
  throw Failure(path,
                "elements of type '" + as_file_name(descr.substr(0, 20)) +
                    "' are not supported; save it as float32, float64, int64, int32, int8, uint8 or bool");
}

std::string read_header(const InputFile& file, uint64_t& data_offset) {
  unsigned char start[12] = {};
  if (file.size() < 10) throw Failure(file.path(), "is not an .npy file: too short");
  size_t known = static_cast<size_t>(std::min<uint64_t>(sizeof(start), file.size()));
  file.read(0, std::as_writable_bytes(std::span(start, known)));
  if (std::memcmp(start, kMagic, sizeof(kMagic)) != 0) throw Failure(file.path(), "is not an .npy file");
  int major = start[6];
  if (major < 1 || major > 3)
    throw Failure(file.path(), format("has .npy format version %d; 1 to 3 can be read", major));
  uint32_t length = start[8] | uint32_t{start[9]} << 8;
  if (major > 1) length |= uint32_t{start[10]} << 16 | uint32_t{start[11]} << 24;
  uint64_t offset = major == 1 ? 10 : 12;
  if (length > kMaxHeader || offset + length > file.size())
    throw Failure(file.path(), "has a damaged .npy header");
  std::string text(length, '\0');
  file.read(offset, std::as_writable_bytes(std::span(text)));
  data_offset = offset + length;
  return text;
}

}  // namespace

NpyFile::NpyFile(const std::string& path) : file_(path) {
  std::string text = read_header(file_, data_offset_);
  std::optional<Header> header = HeaderParser(text).parse();
  if (!header)
    throw Failure(path, "has a damaged .npy header (or one of a structured array, which is not supported)");
  const StoredType& type = stored_type(path, header->descr);
  if (header->fortran_order && header->shape.size() > 1) {
    throw Failure(path, "is in Fortran order; save it with numpy.ascontiguousarray");
  }
  dtype_ = type.dtype;
  stored_size_ = type.size;
  shape_ = std::move(header->shape);
  std::optional<uint64_t> expected = data_bytes(shape_, stored_size_);
  uint64_t present = file_.size() - data_offset_;
  if (!expected || *expected > present)
    throw Failure(path, "is truncated: shorter than its shape " + shape_text(shape_));
  if (*expected < present) throw Failure(path, "is longer than its shape " + shape_text(shape_) + " says");
}

Tensor NpyFile::read(int64_t first, std::vector<int64_t> shape) const {
  Tensor tensor{dtype_, std::move(shape), {}};
  uint64_t elements = static_cast<uint64_t>(element_count(tensor.shape));
  if (elements * sizeof(double) > PTRDIFF_MAX)
    throw Failure(path(), "is too large for this machine's memory");
  size_t count = static_cast<size_t>(elements);
  std::vector<std::byte> stored(count * stored_size_);
  file_.read(data_offset_ + static_cast<uint64_t>(first) * stored_size_, stored);
  if (stored_size_ == element_size(dtype_)) {
    tensor.bytes = std::move(stored);
  } else {
    tensor.bytes.resize(count * sizeof(float));
    for (size_t i = 0; i < count; ++i) {
      double value;
      std::memcpy(&value, stored.data() + i * sizeof(double), sizeof(double));
      float narrow = static_cast<float>(value);
      std::memcpy(tensor.bytes.data() + i * sizeof(float), &narrow, sizeof(float));
    }
  }
  if (dtype_ == plan::DType::kBool) {
    for (std::byte& b : tensor.bytes) b = b == std::byte{0} ? std::byte{0} : std::byte{1};
  }
  return tensor;
}

Tensor NpyFile::read_item(int64_t index) const {
  if (shape_.empty() || index < 0 || index >= shape_[0])
    throw Failure(path(), format("has no item %lld", static_cast<long long>(index)));
  std::vector<int64_t> shape(shape_.begin() + 1, shape_.end());
  return read(index * element_count(shape), shape);
}

NpyWriter::NpyWriter(const std::string& path, plan::DType dtype, std::span<const int64_t> shape)
    : file_(path) {
  const StoredType* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const StoredType& t) {
    return t.dtype == dtype && t.size == element_size(dtype);
  });
  std::string name = type == std::end(kTypes) ? "f2" : std::string(type->name);
  std::string dims;
  for (int64_t dim : shape) dims += std::to_string(dim) + ", ";
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  if (shape.size() == 1) dims.resize(dims.size() - 1);
  std::string text = "{'descr': '" + std::string(element_size(dtype) == 1 ? "|" : "<") + name +
                     "', 'fortran_order': False, 'shape': (" + dims + "), }";
  size_t padded = (10 + text.size() + 1 + 63) / 64 * 64 - 10;
  text.resize(padded - 1, ' ');
  text += '\n';
  std::string start(kMagic, sizeof(kMagic));
  start += {'\x01', '\x00', static_cast<char>(padded & 0xff), static_cast<char>(padded >> 8)};
  file_.write(start + text);
  missing_bytes_ = static_cast<uint64_t>(element_count(shape)) * element_size(dtype);
}

void NpyWriter::append(std::span<const std::byte> bytes) {
  if (bytes.size() > missing_bytes_) throw std::logic_error("more .npy data than the shape allows");
  missing_bytes_ -= bytes.size();
  file_.write(bytes);
}

void NpyWriter::commit() {
  if (missing_bytes_ != 0) throw std::logic_error("less .npy data than the shape says");
  file_.commit();
}

bool is_npy(const std::string& path) { return path.ends_with(".npy"); }

}  // namespace bantam::tools
