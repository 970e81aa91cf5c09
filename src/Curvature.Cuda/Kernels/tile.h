// A product of matrices by tiles, C (+)= A·B, written once for all kernels that are one. Whoever includes this says what
// the matrices are:
//   NAME, T, TV, VW     the kernel, its elements, and a vector of VW of them
//   BM BN BK, TM TN     a block's tile of C and the depth of a step; a thread's part of the tile
//   PARAMETERS, SETUP   of the kernel; SETUP sets M, N, kLow, kHigh, fastK and fastN
//   ROW, ROW_OF(m), A_AT(row, k)      where a row of A is, and its element
//   COLUMN, COLUMN_OF(n), B_AT(column, k)
//   STORE(m, n, value)
// Two buffers alternate: while threads multiply from one, they read the next step and then write it to the other.
#define NX (BN / TN)
#define NT (NX * (BM / TM))
#define NA (BM * BK / NT)
#define NB (BN * BK / NT)
#define LDA (BM + VW)
#define LDB (BN + VW)

KERNEL(NT) void NAME(PARAMETERS) {
  __local TV tileA[2 * BK * LDA / VW];
  __local TV tileB[2 * BK * LDB / VW];
  __local T* a = (__local T*)tileA;
  __local T* b = (__local T*)tileB;
  const int t = THREAD, tx = t % NX, ty = t / NX;
  const int m0 = BLOCK * BM, n0 = BLOCK_Y * BN;
  SETUP
  int am[NA], ak[NA], bn[NB], bk[NB];
  ROW rows[NA];
  COLUMN columns[NB];
  T nextA[NA], nextB[NB], c[TM][TN];
  // Whichever axis is contiguous goes fastest over threads.
  UNROLL for (int u = 0; u < NA; u++) {
    int e = t + u * NT;
    ak[u] = fastK ? e % BK : e / BM;
    am[u] = fastK ? e / BK : e % BM;
    rows[u] = ROW_OF((m0 + am[u] < M ? m0 + am[u] : M - 1));
  }
  UNROLL for (int u = 0; u < NB; u++) {
    int e = t + u * NT;
    bn[u] = fastN ? e % BN : e / BK;
    bk[u] = fastN ? e / BN : e % BK;
    columns[u] = COLUMN_OF((n0 + bn[u] < N ? n0 + bn[u] : N - 1));
  }
  UNROLL for (int i = 0; i < TM; i++)
    UNROLL for (int j = 0; j < TN; j++) c[i][j] = 0;

  int buffer = 0;
  for (int k0 = kLow - BK; k0 < kHigh; k0 += BK) {
    const int next = k0 + BK;
    if (next < kHigh) {
      UNROLL for (int u = 0; u < NA; u++) {
        int k = next + ak[u];
        nextA[u] = m0 + am[u] < M && k < kHigh ? A_AT(rows[u], k) : (T)0;
      }
      UNROLL for (int u = 0; u < NB; u++) {
        int k = next + bk[u];
        nextB[u] = n0 + bn[u] < N && k < kHigh ? B_AT(columns[u], k) : (T)0;
      }
    }
    if (k0 >= kLow) {
      UNROLL for (int k = 0; k < BK; k++) {
        T left[TM], right[TN];
        UNROLL for (int q = 0; q < TM / VW; q++)
          *(TV*)&left[q * VW] = tileA[(buffer * BK + k) * (LDA / VW) + ty + q * (BM / TM)];
        UNROLL for (int q = 0; q < TN / VW; q++)
          *(TV*)&right[q * VW] = tileB[(buffer * BK + k) * (LDB / VW) + tx + q * NX];
        UNROLL for (int i = 0; i < TM; i++)
          UNROLL for (int j = 0; j < TN; j++) c[i][j] = FMA(left[i], right[j], c[i][j]);
      }
      buffer = 1 - buffer;
    }
    if (next < kHigh) {
      UNROLL for (int u = 0; u < NA; u++) a[(buffer * BK + ak[u]) * LDA + am[u]] = nextA[u];
      UNROLL for (int u = 0; u < NB; u++) b[(buffer * BK + bk[u]) * LDB + bn[u]] = nextB[u];
    }
    MEET();
  }

  UNROLL for (int i = 0; i < TM; i++) {
    int m = m0 + (i / VW) * (BM / TM) * VW + ty * VW + i % VW;
    UNROLL for (int j = 0; j < TN; j++) {
      int n = n0 + (j / VW) * NX * VW + tx * VW + j % VW;
      if (m < M && n < N) { STORE(m, n, c[i][j]) }
    }
  }
}

#undef NX
#undef NT
#undef NA
#undef NB
#undef LDA
#undef LDB
#undef NAME
#undef T
#undef TV
#undef VW
#undef BM
#undef BN
#undef BK
#undef TM
#undef TN
#undef FMA
