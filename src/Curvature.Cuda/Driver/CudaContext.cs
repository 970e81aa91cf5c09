using System.Runtime.InteropServices;

namespace Curvature.Cuda;

/// <summary>One card as this process sees it: its context, one stream on which all is done in order, its memory and its
/// modules.</summary>
/// <remarks>Everything is put on one stream, so that memory that went back to a pool may be taken again at once: what
/// uses it next comes later on the stream. All members may be called on any thread.</remarks>
internal sealed unsafe class CudaContext : IDisposable
{
    private const int MultiprocessorCount = 16;
    private const int MajorCapability = 75;
    private const int MinorCapability = 76;
    private const uint NonBlocking = 1;
    private const int JitErrorLog = 5;
    private const int JitErrorLogSize = 6;

    private readonly CudaLibrary _driver;
    private readonly int _device;
    private readonly nint _context;
    private readonly nint _stream;
    private readonly Lock _lock = new();
    private readonly HashSet<nint> _blocks = [];
    private readonly List<nint> _modules = [];
    private bool _disposed;

    /// <summary>Opens a card.</summary>
    /// <exception cref="DeviceException">There is no such card, or it is older than the kernels.</exception>
    public CudaContext(CudaLibrary driver, int ordinal)
    {
        _driver = driver;
        driver.Check(driver.Init(0), "to begin");
        int version, count;
        driver.Check(driver.DriverGetVersion(&version), "for its version");
        driver.Check(driver.DeviceGetCount(&count), "for the number of cards");
        if (ordinal < 0 || ordinal >= count)
        {
            throw new DeviceException(
                $"Expected a card from 0 to {count - 1}, got {ordinal}: see nvidia-smi and CUDA_VISIBLE_DEVICES.");
        }

        int device;
        driver.Check(driver.DeviceGet(&device, ordinal), $"for card {ordinal}");
        _device = device;
        Name = DeviceName();
        var (major, minor) = (Attribute(MajorCapability), Attribute(MinorCapability));
        if (major < 8)
        {
            throw new DeviceException(
                $"{Name} has compute capability {major}.{minor}, and the kernels are written for 8.0 (Ampere) and "
                + "newer: use a newer card, or the processor.");
        }

        Multiprocessors = Attribute(MultiprocessorCount);
        nuint bytes;
        driver.Check(driver.DeviceTotalMemory(&bytes, device), "for the size of its memory");
        TotalBytes = (long)bytes;

        nint context, stream;
        driver.Check(driver.PrimaryContextRetain(&context, device), "for a context");
        _context = context;
        try
        {
            MakeCurrent();
            driver.Check(driver.StreamCreate(&stream, NonBlocking), "for a stream");
        }
        catch (CudaException)
        {
            _ = driver.PrimaryContextRelease(device);
            throw;
        }

        _stream = stream;
    }

    /// <summary>The card's name.</summary>
    public string Name { get; }

    /// <summary>All memory of the card.</summary>
    public long TotalBytes { get; }

    /// <summary>Its multiprocessors.</summary>
    public int Multiprocessors { get; }

    /// <summary>Memory of the card, aligned to 256 bytes; false where it has none.</summary>
    public bool TryAllocate(long bytes, out nint address)
    {
        MakeCurrent();
        nint found;
        var code = _driver.MemoryAllocate(&found, (nuint)bytes);
        address = code == CudaResult.Success ? found : 0;
        if (code == CudaResult.OutOfMemory)
        {
            return false;
        }

        if (code != CudaResult.Success)
        {
            throw _driver.Error(code, $"for {bytes} bytes of memory");
        }

        lock (_lock)
        {
            _blocks.Add(found);
        }

        return true;
    }

    /// <summary>Gives memory back, after all that was put on the stream. Does not throw, because finalizers come here:
    /// memory of a card that is lost is gone anyway.</summary>
    public void Free(nint address)
    {
        lock (_lock)
        {
            if (_disposed || !_blocks.Remove(address))
            {
                return;
            }

            _ = _driver.ContextSetCurrent(_context);
            _ = _driver.StreamSynchronize(_stream);
            _ = _driver.MemoryFree(address);
        }
    }

    /// <summary>Copies to the card. What is at the source may change as soon as this returns.</summary>
    public void Upload(void* source, nint target, long bytes)
    {
        if (bytes > 0)
        {
            // From memory that is not pinned the driver copies to its own before it returns.
            MakeCurrent();
            var code = _driver.CopyToDevice(target, source, (nuint)bytes, _stream);
            if (code != CudaResult.Success)
            {
                throw _driver.Error(code, $"to copy {bytes} bytes to it");
            }
        }
    }

    /// <summary>Copies from the card, after all that was put on the stream, and waits for it.</summary>
    public void Download(nint source, void* target, long bytes)
    {
        MakeCurrent();
        if (bytes > 0)
        {
            var code = _driver.CopyToHost(target, source, (nuint)bytes, _stream);
            if (code != CudaResult.Success)
            {
                throw _driver.Error(code, $"to copy {bytes} bytes from it");
            }
        }

        Synchronize();
    }

    /// <summary>Waits for all that was put on the stream. Errors of kernels are raised here.</summary>
    public void Synchronize()
    {
        MakeCurrent();
        _driver.Check(_driver.StreamSynchronize(_stream), "to finish its work");
    }

    /// <summary>Translates a text for the card; the context keeps it until it is closed.</summary>
    public nint LoadModule(string text)
    {
        MakeCurrent();
        var bytes = Encoding.ASCII.GetBytes(text + "\0");
        var log = stackalloc byte[4096];
        log[0] = 0;
        var options = stackalloc int[] { JitErrorLog, JitErrorLogSize };
        var values = stackalloc void*[] { log, (void*)4096 };
        nint module;
        int code;
        fixed (byte* image = bytes)
        {
            code = _driver.ModuleLoad(&module, image, 2, options, values);
        }

        _driver.Check(code, "to translate a kernel", Marshal.PtrToStringAnsi((nint)log) ?? "");
        lock (_lock)
        {
            _modules.Add(module);
        }

        return module;
    }

    /// <summary>A kernel of a module.</summary>
    public nint Function(nint module, string name)
    {
        MakeCurrent();
        nint function;
        fixed (byte* bytes = Encoding.ASCII.GetBytes(name + "\0"))
        {
            _driver.Check(_driver.ModuleGetFunction(&function, module, bytes), $"for the kernel {name}");
        }

        return function;
    }

    /// <summary>Puts a run of a kernel on the stream.</summary>
    public void Launch(nint function, Grid grid, void** arguments, string name)
    {
        MakeCurrent();
        var code = _driver.LaunchKernel(
            function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)grid.Threads, 1, 1, 0, _stream, arguments, null);

        // Words are put together only for errors, so that runs allocate nothing.
        if (code != CudaResult.Success)
        {
            throw _driver.Error(code, $"to run {name}");
        }
    }

    /// <summary>Gives everything back: memory, modules, the stream and the context. Does not throw.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _ = _driver.ContextSetCurrent(_context);
            _ = _driver.StreamSynchronize(_stream);
            foreach (var block in _blocks)
            {
                _ = _driver.MemoryFree(block);
            }

            foreach (var module in _modules)
            {
                _ = _driver.ModuleUnload(module);
            }

            _ = _driver.StreamDestroy(_stream);
            _ = _driver.PrimaryContextRelease(_device);
        }
    }

    /// <summary>The driver's calls belong to the thread's context, which others may have changed.</summary>
    private void MakeCurrent()
    {
        if (_disposed)
        {
            throw new DeviceException($"{Name} was closed: open it again, and make its arrays anew.");
        }

        _driver.Check(_driver.ContextSetCurrent(_context), "to take a context");
    }

    private string DeviceName()
    {
        var name = stackalloc byte[256];
        _driver.Check(_driver.DeviceGetName(name, 256, _device), "for the card's name");
        return Marshal.PtrToStringAnsi((nint)name) ?? "a card";
    }

    private int Attribute(int which)
    {
        int value;
        _driver.Check(_driver.DeviceGetAttribute(&value, which, _device), "what the card can do");
        return value;
    }
}
