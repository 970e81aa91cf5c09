#include "prelude.h"

// Convolutions as products of matrices whose elements are found where they lie: any stride, dilation, padding, groups
// and repetition. Images are [images, height, width, channels], filters [kernel height, kernel width, channels per group,
// filters]. Batches are repetitions and groups.
typedef struct {
  long inputStep, filterStep, outputStep; // from one repetition to the next
  Axis height, width;
  int images, channels, filters, groups;
  int splits, chunk, accumulate, first;
} Convolution;

typedef struct {
  long base;
  int y, x;
} Pixel;

// A pixel of an image: where the image starts, and where in it.
static inline Pixel pixel_of(int number, int height, int width, long perImage) {
  Pixel pixel;
  pixel.x = number % width;
  number /= width;
  pixel.y = number % height;
  pixel.base = (number / height) * perImage;
  return pixel;
}

#define PARAMETERS                                                                                        \
  __global T *input, __global T *filters, __global T *output, __global T *parts, Convolution v
#define SPLIT(ROWS, COLUMNS, INNER)                                                                       \
  const int z = BLOCK_Z + v.first;                                                                        \
  const int split = z % v.splits, group = z / v.splits % v.groups, repeat = z / v.splits / v.groups;      \
  const int perGroup = v.channels / v.groups, filtersPerGroup = v.filters / v.groups;                     \
  const int M = ROWS, N = COLUMNS, K = INNER;                                                             \
  const int kLow = split * v.chunk;                                                                       \
  const int kHigh = kLow + v.chunk < K ? kLow + v.chunk : K;                                              \
  input += repeat * v.inputStep + group * perGroup;                                                       \
  filters += repeat * v.filterStep + group * filtersPerGroup;                                             \
  output += repeat * v.outputStep + group * filtersPerGroup;
#define PUT(ARRAY, PLACE, VALUE)                                                                          \
  if (v.splits > 1) parts[((long)z * M + m) * N + n] = VALUE;                                             \
  else {                                                                                                  \
    long place = PLACE;                                                                                   \
    ARRAY[place] = v.accumulate ? ARRAY[place] + VALUE : VALUE;                                           \
  }

// The output from input and filters. Rows: pixels of the output. Inner: places of the filter, and channels.
#define FAMILY(tile) convolve_##tile
#define SETUP                                                                                             \
  SPLIT(v.images * v.height.output * v.width.output, filtersPerGroup,                                     \
        v.height.window * v.width.window * perGroup)                                                      \
  const int fastK = 1, fastN = 1;
#define ROW Pixel
#define COLUMN int
#define ROW_OF(m) \
  pixel_of(m, v.height.output, v.width.output, (long)v.height.input * v.width.input * v.channels)
#define COLUMN_OF(n) (n)
#define READ_INPUT(VALUE, OY, OX, BASE, KY, KX, CHANNEL)                                                  \
  {                                                                                                       \
    long y = (long)(OY)*v.height.stride + (long)(KY)*v.height.dilation - v.height.before;                 \
    long x = (long)(OX)*v.width.stride + (long)(KX)*v.width.dilation - v.width.before;                    \
    if (y >= 0 && y < v.height.input && x >= 0 && x < v.width.input)                                      \
      VALUE = input[(BASE) + (y * v.width.input + x) * v.channels + (CHANNEL)];                           \
  }
#define A_AT(row, k)                                                                                      \
  ({                                                                                                      \
    T value = 0;                                                                                          \
    int tap = (k) / perGroup;                                                                             \
    READ_INPUT(value, (row).y, (row).x, (row).base, tap / v.width.window, tap % v.width.window, (k) % perGroup) \
    value;                                                                                                \
  })
#define B_AT(column, k) filters[(long)(k)*v.filters + (column)]
#define STORE(m, n, value) { const T w = value; PUT(output, (long)(m)*v.filters + (n), w) }
#include "tiles_of_convolutions.h"
#undef FAMILY
#undef SETUP
#undef ROW_OF
#undef A_AT
#undef B_AT
#undef STORE

// The input from output and filters. Rows: pixels of the input. Inner: places of the filter, and filters.
#define FAMILY(tile) convolve_input_##tile
#define SETUP                                                                                             \
  SPLIT(v.images * v.height.input * v.width.input, perGroup,                                              \
        v.height.window * v.width.window * filtersPerGroup)                                               \
  const int fastK = 1, fastN = 0;
#define ROW_OF(m) \
  pixel_of(m, v.height.input, v.width.input, (long)v.height.output * v.width.output * v.filters)
#define A_AT(row, k)                                                                                      \
  ({                                                                                                      \
    T value = 0;                                                                                          \
    int tap = (k) / filtersPerGroup;                                                                      \
    long down = (row).y + v.height.before - (long)(tap / v.width.window) * v.height.dilation;             \
    long across = (row).x + v.width.before - (long)(tap % v.width.window) * v.width.dilation;             \
    if (down >= 0 && down % v.height.stride == 0 && down / v.height.stride < v.height.output &&           \
        across >= 0 && across % v.width.stride == 0 && across / v.width.stride < v.width.output)          \
      value = output[(row).base +                                                                         \
                     (down / v.height.stride * v.width.output + across / v.width.stride) * v.filters +    \
                     (k) % filtersPerGroup];                                                              \
    value;                                                                                                \
  })
#define B_AT(column, k) \
  filters[((long)((k) / filtersPerGroup) * perGroup + (column)) * v.filters + (k) % filtersPerGroup]
#define STORE(m, n, value) { const T w = value; PUT(input, (long)(m)*v.channels + (n), w) }
#include "tiles_of_convolutions.h"
#undef FAMILY
#undef SETUP
#undef ROW
#undef ROW_OF
#undef A_AT
#undef B_AT
#undef STORE

// The filters from input and output. Rows: places of the filter, and channels. Inner: pixels of the output.
#define FAMILY(tile) convolve_filters_##tile
#define SETUP                                                                                             \
  SPLIT(v.height.window * v.width.window * perGroup, filtersPerGroup,                                     \
        v.images * v.height.output * v.width.output)                                                      \
  const int fastK = 0, fastN = 1;
#define ROW int
#define ROW_OF(m) (m)
#define A_AT(row, k)                                                                                      \
  ({                                                                                                      \
    T value = 0;                                                                                          \
    Pixel at = pixel_of(k, v.height.output, v.width.output, (long)v.height.input * v.width.input * v.channels); \
    int tap = (row) / perGroup;                                                                           \
    READ_INPUT(value, at.y, at.x, at.base, tap / v.width.window, tap % v.width.window, (row) % perGroup)  \
    value;                                                                                                \
  })
#define B_AT(column, k) output[(long)(k)*v.filters + (column)]
#define STORE(m, n, value) { const T w = value; PUT(filters, (long)(m)*v.filters + (n), w) }
#include "tiles_of_convolutions.h"
#undef FAMILY
#undef SETUP
#undef ROW
#undef ROW_OF
#undef A_AT
#undef B_AT
#undef STORE
#undef PARAMETERS
