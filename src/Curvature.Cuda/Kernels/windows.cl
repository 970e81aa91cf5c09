#include "prelude.h"

// Windows of images [images, height, width, channels], and of their axes.
typedef struct {
  Axis height, width;
  int images, channels, stacks;
} Windows;

// A thread for each window and channel: the sum of its elements.
#define WINDOW_SUM(NAME, T)                                                                                   \
  KERNEL(THREADS) void NAME(__global const T* source, __global T* target, Windows w) {                        \
    long i = ELEMENT;                                                                                         \
    if (i < (long)w.images * w.height.output * w.width.output * w.channels) {                                 \
      long channel = i % w.channels, pixel = i / w.channels;                                                  \
      long left = pixel % w.width.output * w.width.stride - w.width.before;                                   \
      long top = pixel / w.width.output % w.height.output * w.height.stride - w.height.before;                \
      long image = pixel / w.width.output / w.height.output;                                                  \
      T sum = 0;                                                                                              \
      for (int ky = 0; ky < w.height.window; ky++) {                                                          \
        long y = top + (long)ky * w.height.dilation;                                                          \
        if (y < 0 || y >= w.height.input) continue;                                                           \
        for (int kx = 0; kx < w.width.window; kx++) {                                                         \
          long x = left + (long)kx * w.width.dilation;                                                        \
          if (x < 0 || x >= w.width.input) continue;                                                          \
          sum += source[((image * w.height.input + y) * w.width.input + x) * w.channels + channel];           \
        }                                                                                                     \
      }                                                                                                       \
      target[i] = sum;                                                                                        \
    }                                                                                                         \
  }
WINDOW_SUM(window_sum_f32, float)
WINDOW_SUM(window_sum_f64, double)

// A thread for each element: the sum over the windows that it is in.
#define WINDOW_SPREAD(NAME, T)                                                                                \
  KERNEL(THREADS) void NAME(__global const T* source, __global T* target, Windows w) {                        \
    long i = ELEMENT;                                                                                         \
    if (i < (long)w.images * w.height.input * w.width.input * w.channels) {                                   \
      long channel = i % w.channels, pixel = i / w.channels;                                                  \
      long x = pixel % w.width.input + w.width.before;                                                        \
      long y = pixel / w.width.input % w.height.input + w.height.before;                                      \
      long image = pixel / w.width.input / w.height.input;                                                    \
      T sum = 0;                                                                                              \
      for (int ky = 0; ky < w.height.window; ky++) {                                                          \
        long down = y - (long)ky * w.height.dilation;                                                         \
        if (down < 0 || down % w.height.stride != 0 || down / w.height.stride >= w.height.output) continue;   \
        for (int kx = 0; kx < w.width.window; kx++) {                                                         \
          long across = x - (long)kx * w.width.dilation;                                                      \
          if (across < 0 || across % w.width.stride != 0 || across / w.width.stride >= w.width.output) continue; \
          long window = (image * w.height.output + down / w.height.stride) * w.width.output;                  \
          sum += source[(window + across / w.width.stride) * w.channels + channel];                           \
        }                                                                                                     \
      }                                                                                                       \
      target[i] = sum;                                                                                        \
    }                                                                                                         \
  }
WINDOW_SPREAD(window_spread_f32, float)
WINDOW_SPREAD(window_spread_f64, double)

// A thread for each window and channel: the position, in its stack of images, of the first largest element or NaN.
#define WINDOW_MAXIMUM(NAME, T)                                                                               \
  KERNEL(THREADS) void NAME(__global const T* source, __global int* target, Windows w) {                      \
    long i = ELEMENT;                                                                                         \
    if (i < (long)w.images * w.height.output * w.width.output * w.channels) {                                 \
      long channel = i % w.channels, pixel = i / w.channels;                                                  \
      long left = pixel % w.width.output * w.width.stride - w.width.before;                                   \
      long top = pixel / w.width.output % w.height.output * w.height.stride - w.height.before;                \
      long image = pixel / w.width.output / w.height.output;                                                  \
      long perStack = w.images / w.stacks;                                                                    \
      long stack = image / perStack * perStack * w.height.input * w.width.input * w.channels;                 \
      T best = 0;                                                                                             \
      long place = -1;                                                                                        \
      for (int ky = 0; ky < w.height.window; ky++) {                                                          \
        long y = top + (long)ky * w.height.dilation;                                                          \
        if (y < 0 || y >= w.height.input) continue;                                                           \
        for (int kx = 0; kx < w.width.window; kx++) {                                                         \
          long x = left + (long)kx * w.width.dilation;                                                        \
          if (x < 0 || x >= w.width.input) continue;                                                          \
          long at = ((image * w.height.input + y) * w.width.input + x) * w.channels + channel;                \
          T value = source[at];                                                                               \
          if (place < 0 || value > best || (value != value && best == best)) {                                \
            best = value;                                                                                     \
            place = at - stack;                                                                               \
          }                                                                                                   \
        }                                                                                                     \
      }                                                                                                       \
      target[i] = (int)place;                                                                                 \
    }                                                                                                         \
  }
WINDOW_MAXIMUM(window_maximum_f32, float)
WINDOW_MAXIMUM(window_maximum_f64, double)
