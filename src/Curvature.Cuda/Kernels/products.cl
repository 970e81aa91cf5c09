#include "prelude.h"

// C (+)= A·B for a batch of matrices with any strides. A long sum may be split: each part goes to `parts`, and
// add_splits puts them together in order.
typedef struct {
  long batchA, batchB, batchC; // strides
  int M, N, K;
  int rowA, innerA, columnB, innerB, rowC, columnC; // strides
  int batches, splits, chunk, accumulate, fastK, fastN, first;
} Product;

#define SPLIT                                                    \
  const int z = BLOCK_Z + p.first, M = p.M, N = p.N;             \
  const int batch = z / p.splits, split = z % p.splits;          \
  const int kLow = split * p.chunk;                              \
  const int kHigh = kLow + p.chunk < p.K ? kLow + p.chunk : p.K; \
  const int fastK = p.fastK, fastN = p.fastN;
#define ROW long
#define COLUMN long
#define PUT(PLACE, VALUE)                                                    \
  if (p.splits > 1) parts[((long)z * M + m) * N + n] = VALUE;                \
  else {                                                                     \
    long place = PLACE;                                                      \
    C[place] = p.accumulate ? C[place] + VALUE : VALUE;                      \
  }

// One axis of each kind: strides.
#define FAMILY(tile) product_##tile
#define PARAMETERS __global const T *A, __global const T *B, __global T *C, __global T *parts, Product p
#define SETUP SPLIT A += batch * p.batchA; B += batch * p.batchB; C += batch * p.batchC;
#define ROW_OF(m) ((long)(m)*p.rowA)
#define COLUMN_OF(n) ((long)(n)*p.columnB)
#define A_AT(row, k) A[(row) + (k)*p.innerA]
#define B_AT(column, k) B[(column) + (k)*p.innerB]
#define STORE(m, n, value) { const T v = value; PUT((long)(m)*p.rowC + (long)(n)*p.columnC, v) }
#include "tiles_of_products.h"
#undef FAMILY
#undef PARAMETERS
#undef SETUP
#undef ROW_OF
#undef COLUMN_OF
#undef A_AT
#undef B_AT
#undef STORE

// Several axes of a kind: `places` has where each row, column, inner position and batch is: rows of A and of C, columns of
// B and of C, inner positions of A and of B, batches of A, B and C.
#define FAMILY(tile) table_product_##tile
#define PARAMETERS                                                                                        \
  __global const T *A, __global const T *B, __global T *C, __global T *parts, __global const int *places, \
      Product p
#define SETUP                                                                                             \
  SPLIT __global const int* rowsC = places + M;                                                           \
  __global const int* columnsB = rowsC + M;                                                               \
  __global const int* columnsC = columnsB + N;                                                            \
  __global const int* innerA = columnsC + N;                                                              \
  __global const int* innerB = innerA + p.K;                                                              \
  __global const int* batches = innerB + p.K;                                                             \
  A += batches[batch];                                                                                    \
  B += batches[p.batches + batch];                                                                        \
  C += batches[2 * p.batches + batch];
#define ROW_OF(m) ((long)places[m])
#define COLUMN_OF(n) ((long)columnsB[n])
#define A_AT(row, k) A[(row) + innerA[k]]
#define B_AT(column, k) B[(column) + innerB[k]]
#define STORE(m, n, value) { const T v = value; PUT((long)rowsC[m] + columnsC[n], v) }
#include "tiles_of_products.h"
#undef FAMILY
#undef PARAMETERS
#undef SETUP
#undef ROW_OF
#undef COLUMN_OF
#undef A_AT
#undef B_AT
#undef STORE
#undef ROW
#undef COLUMN
#undef PUT
#undef SPLIT

// Puts the parts of split sums together, in order. `target` locates elements of C by their number in the batch.
#define ADD_SPLITS(NAME, T)                                                                               \
  KERNEL(THREADS) void NAME(                                                                              \
      __global const T* parts, __global T* C, Axes target, long count, long perBatch, int splits, int accumulate) { \
    long i = ELEMENT;                                                                                     \
    if (i < count) {                                                                                      \
      long none, place;                                                                                   \
      locate(&target, i, &none, &place);                                                                  \
      const long batch = i / perBatch;                                                                    \
      parts += batch * splits * perBatch + i % perBatch;                                                  \
      T sum = 0;                                                                                          \
      for (int s = 0; s < splits; s++) sum += parts[s * perBatch];                                        \
      C[place] = accumulate ? C[place] + sum : sum;                                                       \
    }                                                                                                     \
  }
ADD_SPLITS(add_splits_f32, float)
ADD_SPLITS(add_splits_f64, double)
