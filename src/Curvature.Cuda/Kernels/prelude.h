// What kernels stand on, in OpenCL C, for two readers: clang, which makes PTX of it, and PoCL, which runs it on a
// processor in tests. Blocks have 256 threads unless a kernel says otherwise. Nothing is added atomically, so that
// results are the same bits in every run.
#ifdef __NVPTX__
#define THREAD ((int)__nvvm_read_ptx_sreg_tid_x())
#define BLOCK ((int)__nvvm_read_ptx_sreg_ctaid_x())
#define BLOCK_Y ((int)__nvvm_read_ptx_sreg_ctaid_y())
#define BLOCK_Z ((int)__nvvm_read_ptx_sreg_ctaid_z())
#define MEET() __syncthreads()
#else
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define THREAD ((int)get_local_id(0))
#define BLOCK ((int)get_group_id(0))
#define BLOCK_Y ((int)get_group_id(1))
#define BLOCK_Z ((int)get_group_id(2))
#define MEET() barrier(CLK_LOCAL_MEM_FENCE)
#endif
#define KERNEL(threads) __kernel __attribute__((reqd_work_group_size(threads, 1, 1)))
#define THREADS 256
#define ELEMENT ((long)BLOCK * THREADS + THREAD)
#define UNROLL _Pragma("unroll")

// fma is one instruction on cards and on the processors that tests run on.
#define FMA_float(a, b, c) __builtin_fmaf(a, b, c)
#define FMA_double(a, b, c) __builtin_fma(a, b, c)

#define MAX_AXES 8

// Axes that two arrays share, outermost first: sizes, and strides in elements.
typedef struct {
  long source[MAX_AXES];
  long target[MAX_AXES];
  int size[MAX_AXES];
  int rank;
  int unused;
} Axes;

// The places of an element, by its row-major number.
static inline void locate(const Axes* axes, long number, long* source, long* target) {
  long s = 0, t = 0;
  for (int axis = axes->rank - 1; axis >= 0; axis--) {
    int size = axes->size[axis];
    long position = number % size;
    number /= size;
    s += position * axes->source[axis];
    t += position * axes->target[axis];
  }
  *source = s;
  *target = t;
}

// A spatial axis: output o reads input o*stride + k*dilation - before for every k below window.
typedef struct {
  int input, output, window, stride, before, dilation;
} Axis;
