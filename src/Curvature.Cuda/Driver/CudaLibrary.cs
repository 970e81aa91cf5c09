using System.Runtime.InteropServices;

namespace Curvature.Cuda;

/// <summary>The functions of the driver that the library calls. All are there since version 450; no toolkit is
/// needed.</summary>
internal sealed unsafe class CudaLibrary
{
    public readonly delegate* unmanaged<uint, int> Init;
    public readonly delegate* unmanaged<int*, int> DriverGetVersion;
    public readonly delegate* unmanaged<int*, int> DeviceGetCount;
    public readonly delegate* unmanaged<int*, int, int> DeviceGet;
    public readonly delegate* unmanaged<byte*, int, int, int> DeviceGetName;
    public readonly delegate* unmanaged<int*, int, int, int> DeviceGetAttribute;
    public readonly delegate* unmanaged<nuint*, int, int> DeviceTotalMemory;
    public readonly delegate* unmanaged<nint*, int, int> PrimaryContextRetain;
    public readonly delegate* unmanaged<int, int> PrimaryContextRelease;
    public readonly delegate* unmanaged<nint, int> ContextSetCurrent;
    public readonly delegate* unmanaged<nint*, nuint, int> MemoryAllocate;
    public readonly delegate* unmanaged<nint, int> MemoryFree;
    public readonly delegate* unmanaged<nint, void*, nuint, nint, int> CopyToDevice;
    public readonly delegate* unmanaged<void*, nint, nuint, nint, int> CopyToHost;
    public readonly delegate* unmanaged<nint*, byte*, uint, int*, void**, int> ModuleLoad;
    public readonly delegate* unmanaged<nint, int> ModuleUnload;
    public readonly delegate* unmanaged<nint*, nint, byte*, int> ModuleGetFunction;
    public readonly delegate* unmanaged<
        nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> LaunchKernel;
    public readonly delegate* unmanaged<nint*, uint, int> StreamCreate;
    public readonly delegate* unmanaged<nint, int> StreamDestroy;
    public readonly delegate* unmanaged<nint, int> StreamSynchronize;
    private readonly delegate* unmanaged<int, byte**, int> _errorName;

    private CudaLibrary(nint handle)
    {
        Init = (delegate* unmanaged<uint, int>)Find("cuInit");
        DriverGetVersion = (delegate* unmanaged<int*, int>)Find("cuDriverGetVersion");
        DeviceGetCount = (delegate* unmanaged<int*, int>)Find("cuDeviceGetCount");
        DeviceGet = (delegate* unmanaged<int*, int, int>)Find("cuDeviceGet");
        DeviceGetName = (delegate* unmanaged<byte*, int, int, int>)Find("cuDeviceGetName");
        DeviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)Find("cuDeviceGetAttribute");
        DeviceTotalMemory = (delegate* unmanaged<nuint*, int, int>)Find("cuDeviceTotalMem_v2");
        PrimaryContextRetain = (delegate* unmanaged<nint*, int, int>)Find("cuDevicePrimaryCtxRetain");
        PrimaryContextRelease = (delegate* unmanaged<int, int>)Find("cuDevicePrimaryCtxRelease_v2");
        ContextSetCurrent = (delegate* unmanaged<nint, int>)Find("cuCtxSetCurrent");
        MemoryAllocate = (delegate* unmanaged<nint*, nuint, int>)Find("cuMemAlloc_v2");
        MemoryFree = (delegate* unmanaged<nint, int>)Find("cuMemFree_v2");
        CopyToDevice = (delegate* unmanaged<nint, void*, nuint, nint, int>)Find("cuMemcpyHtoDAsync_v2");
        CopyToHost = (delegate* unmanaged<void*, nint, nuint, nint, int>)Find("cuMemcpyDtoHAsync_v2");
        ModuleLoad = (delegate* unmanaged<nint*, byte*, uint, int*, void**, int>)Find("cuModuleLoadDataEx");
        ModuleUnload = (delegate* unmanaged<nint, int>)Find("cuModuleUnload");
        ModuleGetFunction = (delegate* unmanaged<nint*, nint, byte*, int>)Find("cuModuleGetFunction");
        LaunchKernel = (delegate* unmanaged<
            nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)Find("cuLaunchKernel");
        StreamCreate = (delegate* unmanaged<nint*, uint, int>)Find("cuStreamCreate");
        StreamDestroy = (delegate* unmanaged<nint, int>)Find("cuStreamDestroy_v2");
        StreamSynchronize = (delegate* unmanaged<nint, int>)Find("cuStreamSynchronize");
        _errorName = (delegate* unmanaged<int, byte**, int>)Find("cuGetErrorName");

        nint Find(string name) => NativeLibrary.TryGetExport(handle, name, out var address)
            ? address
            : throw new DeviceException(
                $"The driver of the card lacks {name}: it is too old. Install version 450 or newer.");
    }

    /// <summary>The driver of this machine's cards.</summary>
    /// <exception cref="DeviceException">There is none, or it is too old.</exception>
    public static CudaLibrary Load() => Load(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1");

    /// <summary>The driver in a file.</summary>
    /// <exception cref="DeviceException">There is none, or it is too old.</exception>
    public static CudaLibrary Load(string file) => NativeLibrary.TryLoad(file, out var handle)
        ? new CudaLibrary(handle)
        : throw new DeviceException(
            $"There is no driver of NVIDIA's cards on this machine: {file} was not found. Install the driver of the "
            + "card (the toolkit is not needed), and in a container pass the card on.");

    /// <summary>Throws where the driver did not do what it was asked to.</summary>
    /// <param name="code">What it answered.</param>
    /// <param name="what">What it was asked to do, as "to …".</param>
    /// <param name="more">What else it said.</param>
    public void Check(int code, string what, string more = "")
    {
        if (code != CudaResult.Success)
        {
            throw Error(code, what, more);
        }
    }

    /// <summary>The error for an answer.</summary>
    public CudaException Error(int code, string what, string more = "")
    {
        byte* text = null;
        var name = _errorName(code, &text) == CudaResult.Success && text != null
            ? Marshal.PtrToStringAnsi((nint)text)!
            : "an unknown error";
        var said = more.Length == 0 ? "" : $" {more.TrimEnd()}";
        return new CudaException(
            $"The driver of the card was asked {what}, and answered {name} ({code}).{said} {CudaResult.Advice(code)}",
            code,
            name);
    }
}
