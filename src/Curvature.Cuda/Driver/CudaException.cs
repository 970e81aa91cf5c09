namespace Curvature.Cuda;

/// <summary>An error of the driver of NVIDIA's cards. The message says what was done, what the driver answered, and
/// what to do.</summary>
public sealed class CudaException : DeviceException
{
    internal CudaException(string message, int code, string driverName)
        : base(message)
    {
        Code = code;
        DriverName = driverName;
    }

    /// <summary>The driver's number for the error (CUresult).</summary>
    public int Code { get; }

    /// <summary>The driver's name for it, such as <c>CUDA_ERROR_ILLEGAL_ADDRESS</c>.</summary>
    public string DriverName { get; }

    /// <summary>Whether the card is lost to this process: every later call fails, and only a new process
    /// helps.</summary>
    public bool IsLost => CudaResult.IsLost(Code);
}
