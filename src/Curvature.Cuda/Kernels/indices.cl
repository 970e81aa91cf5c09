#include "prelude.h"

// Rows picked and added by an index. Arrays are row-major: the table [batch, outer, length, inner], what is picked
// [batch, outer, count, inner], the index [batch, count]. An index outside the table is left out, and its place, counted
// from 1, goes to `wrong`: threads write there in any order, and any of the places is an answer.
typedef struct {
  int batch, outer, length, count, inner;
} Indexing;

#define GATHER(NAME, T)                                                                                       \
  KERNEL(THREADS) void NAME(                                                                                  \
      __global const T* source, __global const int* index, __global T* target, __global long* wrong, Indexing z) { \
    long i = ELEMENT;                                                                                         \
    if (i < (long)z.batch * z.outer * z.count * z.inner) {                                                    \
      long row = i / z.inner, column = i % z.inner;                                                           \
      long table = row / z.count, place = (table / z.outer) * z.count + row % z.count;                        \
      int at = index[place];                                                                                  \
      if ((uint)at < (uint)z.length) target[i] = source[(table * z.length + at) * z.inner + column];          \
      else *wrong = place + 1;                                                                                \
    }                                                                                                         \
  }
GATHER(gather4, uint)
GATHER(gather8, ulong)

// For each place of the index the next one of the same value, or -1; the negative of that less 2 where no place before
// it has this value.
KERNEL(THREADS) void scatter_links(__global const int* index, __global int* links, __global long* wrong, Indexing z) {
  long i = ELEMENT;
  if (i < (long)z.batch * z.count) {
    int place = (int)(i % z.count);
    __global const int* values = index + (i - place);
    int value = values[place], next = -1, first = 1;
    if ((uint)value >= (uint)z.length) {
      *wrong = i + 1;
      links[i] = -1;
      return;
    }
    for (int j = 0; j < place; j++)
      if (values[j] == value) { first = 0; break; }
    for (int j = place + 1; j < z.count; j++)
      if (values[j] == value) { next = j; break; }
    links[i] = first ? -2 - (next + 1) : next;
  }
}

// A thread for each place and column: the first place of a value adds up all of them, in order.
#define SCATTER_CHAINS(NAME, T)                                                                               \
  KERNEL(THREADS) void NAME(                                                                                  \
      __global const T* source, __global const int* index, __global const int* links, __global T* target,     \
      Indexing z) {                                                                                           \
    long i = ELEMENT;                                                                                         \
    if (i < (long)z.batch * z.outer * z.count * z.inner) {                                                    \
      long row = i / z.inner, column = i % z.inner;                                                           \
      long table = row / z.count, batch = table / z.outer;                                                    \
      int place = (int)(row % z.count);                                                                       \
      __global const int* next = links + batch * z.count;                                                     \
      int link = next[place];                                                                                 \
      if (link > -2) return;                                                                                  \
      T sum = 0;                                                                                              \
      sum += source[i];                                                                                       \
      for (int at = -3 - link; at >= 0; at = next[at])                                                        \
        sum += source[(table * z.count + at) * z.inner + column];                                             \
      target[(table * z.length + index[batch * z.count + place]) * z.inner + column] = sum;                   \
    }                                                                                                         \
  }
SCATTER_CHAINS(scatter_chains_f32, float)
SCATTER_CHAINS(scatter_chains_f64, double)

// A thread for each table and column, for many of these and long indices.
#define SCATTER_COLUMNS(NAME, T)                                                                              \
  KERNEL(THREADS) void NAME(                                                                                  \
      __global const T* source, __global const int* index, __global T* target, __global long* wrong, Indexing z) { \
    long i = ELEMENT;                                                                                         \
    if (i < (long)z.batch * z.outer * z.inner) {                                                              \
      long table = i / z.inner, column = i % z.inner, batch = table / z.outer;                                \
      source += table * z.count * z.inner + column;                                                           \
      target += table * z.length * z.inner + column;                                                          \
      index += batch * z.count;                                                                               \
      for (int p = 0; p < z.count; p++) {                                                                     \
        int at = index[p];                                                                                    \
        if ((uint)at < (uint)z.length) target[(long)at * z.inner] += source[(long)p * z.inner];               \
        else *wrong = batch * z.count + p + 1;                                                                \
      }                                                                                                       \
    }                                                                                                         \
  }
SCATTER_COLUMNS(scatter_columns_f32, float)
SCATTER_COLUMNS(scatter_columns_f64, double)

// Cumulative sums along the middle axis of [outer, length, inner], added up in double precision. A block has a line: a
// thread adds up a stretch of it, threads add up each other's, and each writes its own.
#define CUMULATIVE(NAME, T)                                                                                   \
  KERNEL(THREADS) void NAME(                                                                                  \
      __global const T* source, __global T* target, int length, int inner, int reverse) {                     \
    __local double sums[THREADS];                                                                             \
    long line = BLOCK;                                                                                        \
    long start = line / inner * length * inner + line % inner;                                                \
    int stretch = (length + THREADS - 1) / THREADS;                                                           \
    long first = (long)THREAD * stretch;                                                                      \
    long end = first + stretch < length ? first + stretch : length;                                           \
    double sum = 0;                                                                                           \
    for (long i = first; i < end; i++) sum += source[start + (reverse ? length - 1 - i : i) * inner];         \
    sums[THREAD] = sum;                                                                                       \
    MEET();                                                                                                   \
    double before = 0;                                                                                        \
    for (int t = 0; t < THREAD; t++) before += sums[t];                                                       \
    for (long i = first; i < end; i++) {                                                                      \
      long at = start + (reverse ? length - 1 - i : i) * inner;                                               \
      before += source[at];                                                                                   \
      target[at] = (T)before;                                                                                 \
    }                                                                                                         \
  }
CUMULATIVE(cumulative_f32, float)
CUMULATIVE(cumulative_f64, double)
