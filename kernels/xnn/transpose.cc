#include <bit>
#include <cstddef>

#include "kernel_list.h"
#include "layout.h"
#include "movement/strided_copy.h"
#include "vector/interleave_rows.h"
#include "xnn_support.h"

namespace bantam::kernels {

namespace {

// A permutation without axes of length 1, axes that stay together joined.
struct Permutation {
  int32_t rank = 0;
  size_t dims[kMaxRank] = {};  // of the input
  size_t perm[kMaxRank] = {};

  Permutation(const TensorInfo& x, const flatbuffers::Vector<int32_t>* order) {
    // `group` is the joined axis that each input axis belongs to, in the order of the output first.
    int32_t first[kMaxRank] = {};  // first input axis of a group, in output order
    int32_t previous = -2;
    for (int32_t i = 0; i < x.rank; ++i) {
      const int32_t axis = order->Get(static_cast<uint32_t>(i));
      if (x.dims[axis] == 1) continue;
      if (previous >= 0 && follows(x, previous, axis)) {
        dims[rank - 1] *= static_cast<size_t>(x.dims[axis]);
      } else {
        first[rank] = axis;
        dims[rank++] = static_cast<size_t>(x.dims[axis]);
      }
      previous = axis;
    }
    sort_to_input_order(first);
  }

 private:
  // Whether `axis` is the next one after `previous` in the input that is longer than 1.
  static bool follows(const TensorInfo& x, int32_t previous, int32_t axis) {
    for (int32_t between = previous + 1; between < axis; ++between) {
      if (x.dims[between] != 1) return false;
    }
    return axis > previous;
  }

  void sort_to_input_order(const int32_t* first) {
    size_t sorted[kMaxRank] = {};
    for (int32_t i = 0; i < rank; ++i) {
      size_t place = 0;
      for (int32_t j = 0; j < rank; ++j) place += first[j] < first[i];
      perm[i] = place;
      sorted[place] = dims[i];
    }
    for (int32_t i = 0; i < rank; ++i) dims[i] = sorted[i];
  }
};

class TransposeKernel final : public XnnKernel {
 public:
  Status init(const OpContext& context, const Permutation& permutation) {
    BANTAM_RETURN_IF_ERROR(begin(context));
    struct Functions {
      xnn_status (*create)(uint32_t, xnn_operator_t*);
      xnn_status (*reshape)(xnn_operator_t, size_t, const size_t*, const size_t*, pthreadpool_t);
      Setup setup;
    };
    static constexpr Functions kBySize[] = {
        {xnn_create_transpose_nd_x8, xnn_reshape_transpose_nd_x8, xnn_setup_transpose_nd_x8},
        {xnn_create_transpose_nd_x16, xnn_reshape_transpose_nd_x16, xnn_setup_transpose_nd_x16},
        {xnn_create_transpose_nd_x32, xnn_reshape_transpose_nd_x32, xnn_setup_transpose_nd_x32},
        {xnn_create_transpose_nd_x64, xnn_reshape_transpose_nd_x64, xnn_setup_transpose_nd_x64}};
    const Functions& functions = kBySize[std::countr_zero(element_size(context.input(0).dtype))];
    setup_ = functions.setup;
    BANTAM_RETURN_IF_ERROR(xnn_result(context, functions.create(0, &operator_)));
    return finish(context, functions.reshape(operator_, static_cast<size_t>(permutation.rank),
                                             permutation.dims, permutation.perm, pool_));
  }

 private:
  using Setup = xnn_status (*)(xnn_operator_t, const void*, void*);

  xnn_status setup(const RunContext& context) override {
    return setup_(operator_, context.inputs[0], context.outputs[0]);
  }

  Setup setup_ = nullptr;
};

// [batch, rows, columns] to [batch, columns, rows] for a few rows: much faster than by tiles.
class InterleaveKernel final : public Kernel {
 public:
  Status init(const OpContext&, InterleaveRows interleave, size_t batch, size_t bytes, size_t columns) {
    interleave_ = interleave;
    batch_ = batch;
    bytes_ = bytes;
    columns_ = columns;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const auto* x = input_as<std::byte>(context, 0);
    auto* y = output_as<std::byte>(context);
    const auto bytes = static_cast<int64_t>(bytes_);
    parallel_ranges(context.threads, static_cast<int64_t>(batch_), tile_for(bytes),
                    [&](int64_t begin, int64_t end) {
                      for (int64_t i = begin; i < end; ++i)
                        interleave_(x + i * bytes, y + i * bytes, columns_);
                    });
    return ok_status();
  }

 private:
  InterleaveRows interleave_ = nullptr;
  size_t batch_ = 1;
  size_t bytes_ = 0;  // of one batch item
  size_t columns_ = 0;
};

// kUnsupported when the permutation is not of that form.
Status create_interleave(const OpContext& context, const Permutation& p, Kernel** out) {
  const int32_t first = p.rank - 2;
  const bool swaps_last = p.rank == 2 ? p.perm[0] == 1 : p.rank == 3 && p.perm[0] == 0 && p.perm[1] == 2;
  if (!swaps_last) return Status(StatusCode::kUnsupported, "", "");
  const size_t rows = p.dims[first], columns = p.dims[first + 1];
  const size_t element = element_size(context.input(0).dtype);
  const InterleaveRows interleave = interleave_rows(rows, element);
  if (interleave == nullptr || columns < 16) return Status(StatusCode::kUnsupported, "", "");
  return make_kernel<InterleaveKernel>(context, out, interleave, p.rank == 3 ? p.dims[0] : size_t{1},
                                       rows * columns * element, columns);
}

}  // namespace

// Relies on: perm a permutation of the axes of x, y of the permuted shape and of the same dtype.
Status create_transpose(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  const auto* order = context.op->attributes_as_Transpose()->perm();  // may be null for a scalar
  const Permutation permutation(x, order);
  const bool moves = permutation.rank > 1;
  if (moves && x.dense() && y.dense()) {
    const Status status = create_interleave(context, permutation, out);
    if (status.code() != StatusCode::kUnsupported) return status;
  }
  if (moves && permutation.rank <= XNN_MAX_TENSOR_DIMS && x.dense() && y.dense() && x.elements > 0) {
    return make_kernel<TransposeKernel>(context, out, permutation);
  }
  const Layout from = layout_of(x);
  Layout permuted;
  permuted.rank = x.rank;
  for (int32_t i = 0; i < x.rank; ++i) {
    const int32_t axis = order->Get(static_cast<uint32_t>(i));
    permuted.dims[i] = from.dims[axis];
    permuted.strides[i] = from.strides[axis];
  }
  return create_strided_copy(context, permuted, 0, layout_of(y), 0, out);
}

}  // namespace bantam::kernels
