// The tiles of convolutions, whose matrices have many rows and few columns, for whoever set what A, B and C are, and
// FAMILY(tile).
#define T float
#define TV float4
#define VW 4
#define FMA FMA_float
#define NAME FAMILY(f32_16)
#define BM 128
#define BN 16
#define BK 16
#define TM 4
#define TN 4
#include "tile.h"

#define T float
#define TV float4
#define VW 4
#define FMA FMA_float
#define NAME FAMILY(f32_32)
#define BM 128
#define BN 32
#define BK 16
#define TM 4
#define TN 4
#include "tile.h"

#define T float
#define TV float4
#define VW 4
#define FMA FMA_float
#define NAME FAMILY(f32_64)
#define BM 64
#define BN 64
#define BK 16
#define TM 4
#define TN 4
#include "tile.h"

#define T double
#define TV double2
#define VW 2
#define FMA FMA_double
#define NAME FAMILY(f64_16)
#define BM 64
#define BN 16
#define BK 16
#define TM 4
#define TN 2
#include "tile.h"

#define T double
#define TV double2
#define VW 2
#define FMA FMA_double
#define NAME FAMILY(f64_64)
#define BM 64
#define BN 64
#define BK 8
#define TM 4
#define TN 4
#include "tile.h"
