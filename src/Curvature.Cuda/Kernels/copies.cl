#include "prelude.h"

// target[i] = source[i] over any strides, for elements of 4 and 8 bytes, and with conversion.
#define COPY(NAME, FROM, TO, CONVERT)                                                           \
  KERNEL(THREADS) void NAME(__global const FROM* source, __global TO* target, Axes axes, long count) { \
    long i = ELEMENT;                                                                           \
    if (i < count) {                                                                            \
      long s, t;                                                                                \
      locate(&axes, i, &s, &t);                                                                 \
      target[t] = CONVERT(source[s]);                                                           \
    }                                                                                           \
  }

// Floating point numbers lose their fraction on the way to integers; what is out of range becomes the nearest integer
// there is, and NaN 0.
static inline int truncated(double x) {
  return x != x ? 0 : x >= 2147483647.0 ? 2147483647 : x <= -2147483648.0 ? -2147483647 - 1 : (int)x;
}

#define SAME(x) (x)
COPY(copy4, uint, uint, SAME)
COPY(copy8, ulong, ulong, SAME)
COPY(copy_f32_f64, float, double, (double))
COPY(copy_f64_f32, double, float, (float))
COPY(copy_f32_i32, float, int, truncated)
COPY(copy_f64_i32, double, int, truncated)
COPY(copy_i32_f32, int, float, (float))
COPY(copy_i32_f64, int, double, (double))

// Elements of one value.
#define FILL(NAME, T)                                                                \
  KERNEL(THREADS) void NAME(__global T* target, Axes axes, T value, long count) {    \
    long i = ELEMENT;                                                                \
    if (i < count) {                                                                 \
      long s, t;                                                                     \
      locate(&axes, i, &s, &t);                                                      \
      target[t] = value;                                                             \
    }                                                                                \
  }
FILL(fill_f32, float)
FILL(fill_f64, double)
