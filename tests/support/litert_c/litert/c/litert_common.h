// What the C++ code of a bundle uses of LiteRT 2.3's C API, declared by hand: Python's ai-edge-litert has the library
// (libLiteRt.so) and no headers. Compiled by tests only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { kLiteRtStatusOk = 0 } LiteRtStatus;
typedef enum { kLiteRtHwAcceleratorCpu = 1 } LiteRtHwAccelerators;
typedef enum { kLiteRtTensorBufferLockModeRead = 0, kLiteRtTensorBufferLockModeWrite = 1 } LiteRtTensorBufferLockMode;
typedef size_t LiteRtParamIndex;

#define TFOPT_HANDLE(name) typedef struct name##T* name
TFOPT_HANDLE(LiteRtEnvironment);
TFOPT_HANDLE(LiteRtModel);
TFOPT_HANDLE(LiteRtOptions);
TFOPT_HANDLE(LiteRtCompiledModel);
TFOPT_HANDLE(LiteRtSignature);
TFOPT_HANDLE(LiteRtTensor);
TFOPT_HANDLE(LiteRtTensorBuffer);
TFOPT_HANDLE(LiteRtTensorBufferRequirements);
#undef TFOPT_HANDLE

typedef struct {
  unsigned int rank : 7;
  unsigned int has_strides : 1;
  int32_t dimensions[8];
  uint32_t strides[8];
} LiteRtLayout;

typedef struct {
  int element_type;
  LiteRtLayout layout;
} LiteRtRankedTensorType;

#ifdef __cplusplus
}
#endif
