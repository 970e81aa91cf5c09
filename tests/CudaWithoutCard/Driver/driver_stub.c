// A driver of cards that has no card: memory is the host's, and kernels are handed to a listener, if there is one. What
// a caller does wrong is counted, every call can be made to fail, and what is alive is known.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Listener)(const char* module, const char* kernel, const unsigned* grid, void** arguments);

enum { BLOCKS, BYTES, MODULES, STREAMS, CONTEXTS, KINDS };

#define MOST 65536
#define CONTEXT ((void*)0xC0)

typedef struct {
  void* address;
  size_t bytes;
} Block;

typedef struct {
  const char* text;
} Module;

typedef struct {
  Module* module;
  char name[128];
} Function;

static Block blocks[MOST];
static int blockCount, misuses, lost, devices = 1, major = 8, minor = 0;
static long live[KINDS];
static size_t capacity = (size_t)1 << 40;
static char failing[64], last[64];
static int failAfter = -1, failCode, calls;
static void* current;
static int initialized;
static Listener listener;

void stub_reset(void) {
  for (int i = 0; i < blockCount; i++) free(blocks[i].address);
  memset(live, 0, sizeof live);
  blockCount = misuses = lost = calls = initialized = 0;
  devices = 1;
  major = 8;
  minor = 0;
  capacity = (size_t)1 << 40;
  failing[0] = 0;
  failAfter = -1;
  current = 0;
  listener = 0;
}
void stub_listen(Listener l) { listener = l; }
void stub_fail(const char* name, int after, int code) {
  strncpy(failing, name, sizeof failing - 1);
  failAfter = after;
  failCode = code;
}
long stub_live(int kind) { return live[kind]; }
int stub_misuses(void) { return misuses; }
int stub_calls(void) { return calls; }
const char* stub_last(void) { return last; }
void stub_capacity(size_t bytes) { capacity = bytes; }
void stub_cards(int count, int capability_major, int capability_minor) {
  devices = count;
  major = capability_major;
  minor = capability_minor;
}

// What every call begins with: errors that are wanted, those that stay, and order.
static int enter(const char* name, int needsContext) {
  calls++;
  strncpy(last, name, sizeof last - 1);
  if (lost) return lost;
  if (failAfter >= 0 && (failing[0] == 0 || strcmp(failing, name) == 0) && failAfter-- == 0) {
    failAfter = -1;
    if (failCode == 700 || failCode == 719 || failCode == 999) lost = failCode;
    return failCode;
  }
  if (!initialized && strcmp(name, "cuInit") != 0) return misuses++, 3;
  if (needsContext && current != CONTEXT) return misuses++, 201;
  return 0;
}
#define ENTER(name, needsContext)             \
  int error = enter(name, needsContext);      \
  if (error) return error;

static Block* owner(void* address, size_t bytes) {
  for (int i = 0; i < blockCount; i++)
    if ((char*)address >= (char*)blocks[i].address && (char*)address + bytes <= (char*)blocks[i].address + blocks[i].bytes)
      return &blocks[i];
  return 0;
}

int cuInit(unsigned flags) { ENTER("cuInit", 0) initialized = 1; return 0; }
int cuDriverGetVersion(int* version) { ENTER("cuDriverGetVersion", 0) *version = 12000; return 0; }
int cuDeviceGetCount(int* count) { ENTER("cuDeviceGetCount", 0) *count = devices; return 0; }
int cuDeviceGet(int* device, int ordinal) {
  ENTER("cuDeviceGet", 0)
  if (ordinal < 0 || ordinal >= devices) return misuses++, 101;
  *device = ordinal;
  return 0;
}
int cuDeviceGetName(char* name, int length, int device) {
  ENTER("cuDeviceGetName", 0) strncpy(name, "Stub", length);
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  ENTER("cuDeviceGetAttribute", 0)
  *value = attribute == 75 ? major : attribute == 76 ? minor : attribute == 16 ? 132 : 0;
  return 0;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) { ENTER("cuDeviceTotalMem_v2", 0) *bytes = capacity; return 0; }
int cuDevicePrimaryCtxRetain(void** context, int device) {
  ENTER("cuDevicePrimaryCtxRetain", 0)
  *context = CONTEXT;
  live[CONTEXTS]++;
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int device) {
  ENTER("cuDevicePrimaryCtxRelease_v2", 0)
  if (live[CONTEXTS]-- <= 0) misuses++;
  return 0;
}
int cuCtxSetCurrent(void* context) {
  ENTER("cuCtxSetCurrent", 0)
  if (context != CONTEXT || live[CONTEXTS] <= 0) return misuses++, 201;
  current = context;
  return 0;
}
int cuMemAlloc_v2(void** address, size_t bytes) {
  ENTER("cuMemAlloc_v2", 1)
  if (bytes == 0) return misuses++, 1;
  if (live[BYTES] + bytes > capacity || blockCount == MOST) return 2;
  // What nobody writes is NaN.
  *address = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(*address, 0xFF, bytes);
  blocks[blockCount++] = (Block){*address, bytes};
  live[BLOCKS]++;
  live[BYTES] += bytes;
  return 0;
}
int cuMemFree_v2(void* address) {
  ENTER("cuMemFree_v2", 1)
  Block* block = owner(address, 1);
  if (!block || block->address != address) return misuses++, 1;
  live[BLOCKS]--;
  live[BYTES] -= block->bytes;
  free(address);
  *block = blocks[--blockCount];
  return 0;
}
int cuMemcpyHtoDAsync_v2(void* target, const void* source, size_t bytes, void* stream) {
  ENTER("cuMemcpyHtoDAsync_v2", 1)
  if (!owner(target, bytes) || !stream) return misuses++, 1;
  memcpy(target, source, bytes);
  return 0;
}
int cuMemcpyDtoHAsync_v2(void* target, const void* source, size_t bytes, void* stream) {
  ENTER("cuMemcpyDtoHAsync_v2", 1)
  if (!owner((void*)source, bytes) || !stream) return misuses++, 1;
  memcpy(target, source, bytes);
  return 0;
}
int cuModuleLoadDataEx(void** module, const char* image, unsigned count, int* options, void** values) {
  ENTER("cuModuleLoadDataEx", 1)
  if (!strstr(image, ".version") || !strstr(image, ".entry")) {
    for (unsigned i = 0; i < count; i++)
      if (options[i] == 5) strcpy(values[i], "line 1: no kernel");
    return 218;
  }
  Module* made = malloc(sizeof(Module));
  made->text = strdup(image);
  *module = made;
  live[MODULES]++;
  return 0;
}
int cuModuleUnload(void* module) {
  ENTER("cuModuleUnload", 1)
  live[MODULES]--;
  return 0;
}
int cuModuleGetFunction(void** function, void* module, const char* name) {
  ENTER("cuModuleGetFunction", 1)
  char entry[160] = ".entry ";
  strncat(entry, name, 128);
  strcat(entry, "(");
  if (!strstr(((Module*)module)->text, entry)) return 500;
  Function* made = malloc(sizeof(Function));
  made->module = module;
  strncpy(made->name, name, sizeof made->name - 1);
  made->name[sizeof made->name - 1] = 0;
  *function = made;
  return 0;
}
int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void* stream, void** arguments, void** extra) {
  ENTER("cuLaunchKernel", 1)
  if (!gx || !gy || !gz || gx > 2147483647u || gy > 65535 || gz > 65535 || !bx || bx > 1024 || by != 1 || bz != 1 || !stream)
    return misuses++, 1;
  Function* f = function;
  unsigned grid[4] = {gx, gy, gz, bx};
  if (listener) listener(f->module->text, f->name, grid, arguments);
  return 0;
}
int cuStreamCreate(void** stream, unsigned flags) {
  ENTER("cuStreamCreate", 1)
  *stream = malloc(8);
  live[STREAMS]++;
  return 0;
}
int cuStreamDestroy_v2(void* stream) {
  ENTER("cuStreamDestroy_v2", 1)
  free(stream);
  live[STREAMS]--;
  return 0;
}
int cuStreamSynchronize(void* stream) { ENTER("cuStreamSynchronize", 1) return 0; }
int cuGetErrorName(int code, const char** name) {
  switch (code) {
    case 2: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return 0;
    case 100: *name = "CUDA_ERROR_NO_DEVICE"; return 0;
    case 218: *name = "CUDA_ERROR_INVALID_PTX"; return 0;
    case 222: *name = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"; return 0;
    case 500: *name = "CUDA_ERROR_NOT_FOUND"; return 0;
    case 700: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; return 0;
    case 999: *name = "CUDA_ERROR_UNKNOWN"; return 0;
    default: return 1;
  }
}
