#include "prelude.h"

// Reductions. A block takes one result, or one of several pieces of it: `pieces` of `length` elements each. Threads add
// up every 256th element in double precision, then each other's sums, in a fixed order. `kept` locates results (source:
// where its elements start; target: where it goes), `reduced` the elements of one.
#define REDUCTION(NAME, T, COMBINE, NEUTRAL)                                                                  \
  KERNEL(THREADS) void NAME(                                                                                  \
      __global const T* source, __global T* target, __global double* parts, Axes kept, Axes reduced, long count, \
      long length, int pieces) {                                                                              \
    __local double sums[THREADS];                                                                             \
    long from, to, at, none;                                                                                  \
    locate(&kept, BLOCK / pieces, &from, &to);                                                                \
    long first = BLOCK % pieces * length;                                                                     \
    long end = first + length < count ? first + length : count;                                               \
    double sum = NEUTRAL;                                                                                     \
    for (long i = first + THREAD; i < end; i += THREADS) {                                                    \
      locate(&reduced, i, &at, &none);                                                                        \
      double value = source[from + at];                                                                       \
      sum = COMBINE(sum, value);                                                                              \
    }                                                                                                         \
    sums[THREAD] = sum;                                                                                       \
    MEET();                                                                                                   \
    for (int reach = THREADS / 2; reach > 0; reach /= 2) {                                                       \
      if (THREAD < reach) sums[THREAD] = COMBINE(sums[THREAD], sums[THREAD + reach]);                           \
      MEET();                                                                                                 \
    }                                                                                                         \
    if (THREAD == 0) {                                                                                        \
      if (pieces == 1) target[to] = (T)sums[0];                                                               \
      else parts[BLOCK] = sums[0];                                                                            \
    }                                                                                                         \
  }

// A thread for each result, for short ones.
#define REDUCTION_SHORT(NAME, T, COMBINE, NEUTRAL)                                                            \
  KERNEL(THREADS) void NAME(                                                                                  \
      __global const T* source, __global T* target, Axes kept, Axes reduced, long results, long count) {      \
    long i = ELEMENT;                                                                                         \
    if (i < results) {                                                                                        \
      long from, to, at, none;                                                                                \
      locate(&kept, i, &from, &to);                                                                           \
      double sum = NEUTRAL;                                                                                   \
      for (long j = 0; j < count; j++) {                                                                      \
        locate(&reduced, j, &at, &none);                                                                      \
        double value = source[from + at];                                                                     \
        sum = COMBINE(sum, value);                                                                            \
      }                                                                                                       \
      target[to] = (T)sum;                                                                                    \
    }                                                                                                         \
  }

// What pieces hold, put together in order: of a reduction, or of the sums of a tape.
#define PIECES(NAME, T, COMBINE, NEUTRAL)                                                                     \
  KERNEL(THREADS) void NAME(                                                                                  \
      __global const double* parts, __global T* target, Axes kept, long results, long pieces) {               \
    long i = ELEMENT;                                                                                         \
    if (i < results) {                                                                                        \
      long from, to;                                                                                          \
      locate(&kept, i, &from, &to);                                                                           \
      double sum = NEUTRAL;                                                                                   \
      for (long p = 0; p < pieces; p++) sum = COMBINE(sum, parts[i * pieces + p]);                            \
      target[to] = (T)sum;                                                                                    \
    }                                                                                                         \
  }

#define ADD(a, b) ((a) + (b))
#define LARGER(a, b) ((a) != (a) ? (a) : (b) != (b) ? (b) : (a) > (b) ? (a) : (b))

REDUCTION(sum_f32, float, ADD, 0.0)
REDUCTION(sum_f64, double, ADD, 0.0)
REDUCTION(maximum_f32, float, LARGER, -INFINITY)
REDUCTION(maximum_f64, double, LARGER, -INFINITY)
REDUCTION_SHORT(sum_short_f32, float, ADD, 0.0)
REDUCTION_SHORT(sum_short_f64, double, ADD, 0.0)
REDUCTION_SHORT(maximum_short_f32, float, LARGER, -INFINITY)
REDUCTION_SHORT(maximum_short_f64, double, LARGER, -INFINITY)
PIECES(sum_pieces_f32, float, ADD, 0.0)
PIECES(sum_pieces_f64, double, ADD, 0.0)
PIECES(maximum_pieces_f32, float, LARGER, -INFINITY)
PIECES(maximum_pieces_f64, double, LARGER, -INFINITY)

// The position of the first largest element, or of the first NaN: a block for each result.
#define ARG_MAXIMUM(NAME, T)                                                                                  \
  KERNEL(THREADS) void NAME(__global const T* source, __global int* target, Axes kept, Axes reduced, long count) { \
    __local T values[THREADS];                                                                                \
    __local long places[THREADS];                                                                             \
    long from, to, at, none, place = -1;                                                                      \
    locate(&kept, BLOCK, &from, &to);                                                                         \
    T best = -INFINITY;                                                                                       \
    for (long i = THREAD; i < count; i += THREADS) {                                                          \
      locate(&reduced, i, &at, &none);                                                                        \
      T value = source[from + at];                                                                            \
      if (place < 0 || value > best || (value != value && best == best)) {                                    \
        best = value;                                                                                         \
        place = i;                                                                                            \
      }                                                                                                       \
    }                                                                                                         \
    values[THREAD] = best;                                                                                    \
    places[THREAD] = place;                                                                                   \
    MEET();                                                                                                   \
    for (int reach = THREADS / 2; reach > 0; reach /= 2) {                                                       \
      if (THREAD < reach && places[THREAD + reach] >= 0) {                                                      \
        T mine = values[THREAD], other = values[THREAD + reach];                                               \
        long p = places[THREAD], q = places[THREAD + reach];                                                   \
        int isNan = mine != mine, otherIsNan = other != other;                                                \
        int equal = mine == other || (isNan && otherIsNan);                                                   \
        int larger = other > mine || (otherIsNan && !isNan);                                                  \
        if (p < 0 || (equal ? q < p : larger && !isNan)) {                                                    \
          values[THREAD] = other;                                                                             \
          places[THREAD] = q;                                                                                 \
        }                                                                                                     \
      }                                                                                                       \
      MEET();                                                                                                 \
    }                                                                                                         \
    if (THREAD == 0) target[to] = (int)places[0];                                                             \
  }
ARG_MAXIMUM(arg_maximum_f32, float)
ARG_MAXIMUM(arg_maximum_f64, double)
