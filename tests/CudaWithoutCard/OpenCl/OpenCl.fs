namespace Curvature.Tests.CudaWithoutCard

open System.Runtime.InteropServices

/// The calls of OpenCL that running a kernel takes.
module OpenCl =

    [<Literal>]
    let Library = "libOpenCL.so.1"

    [<DllImport(Library)>]
    extern int clGetPlatformIDs(uint32 count, nativeint[] platforms, uint32& found)

    [<DllImport(Library)>]
    extern int clGetPlatformInfo(nativeint platform, uint32 what, unativeint size, byte[] value, unativeint& needed)

    [<DllImport(Library)>]
    extern int clGetDeviceIDs(nativeint platform, uint64 kind, uint32 count, nativeint[] devices, uint32& found)

    [<DllImport(Library)>]
    extern nativeint clCreateContext(
        nativeint properties,
        uint32 count,
        nativeint[] devices,
        nativeint callback,
        nativeint data,
        int& error
    )

    [<DllImport(Library)>]
    extern nativeint clCreateCommandQueue(nativeint context, nativeint device, uint64 properties, int& error)

    [<DllImport(Library)>]
    extern nativeint clCreateProgramWithSource(
        nativeint context,
        uint32 count,
        string[] sources,
        nativeint lengths,
        int& error
    )

    [<DllImport(Library)>]
    extern int clBuildProgram(
        nativeint program,
        uint32 count,
        nativeint[] devices,
        string options,
        nativeint callback,
        nativeint data
    )

    [<DllImport(Library)>]
    extern int clGetProgramBuildInfo(
        nativeint program,
        nativeint device,
        uint32 what,
        unativeint size,
        byte[] value,
        unativeint& needed
    )

    [<DllImport(Library)>]
    extern nativeint clCreateKernel(nativeint program, string name, int& error)

    [<DllImport(Library)>]
    extern int clSetKernelArg(nativeint kernel, uint32 index, unativeint size, byte[] value)

    [<DllImport(Library)>]
    extern int clSetKernelArgSVMPointer(nativeint kernel, uint32 index, nativeint address)

    [<DllImport(Library)>]
    extern int clEnqueueNDRangeKernel(
        nativeint queue,
        nativeint kernel,
        uint32 axes,
        unativeint[] offset,
        unativeint[] size,
        unativeint[] blockSize,
        uint32 count,
        nativeint waitFor,
        nativeint happened
    )

    [<DllImport(Library)>]
    extern int clFinish(nativeint queue)

    [<DllImport(Library)>]
    extern int clReleaseKernel(nativeint kernel)

    [<DllImport(Library)>]
    extern int clGetKernelArgInfo(
        nativeint kernel,
        uint32 index,
        uint32 what,
        unativeint size,
        uint32& value,
        unativeint& needed
    )
