using System.Runtime.InteropServices;

namespace Curvature.Cuda;

/// <summary>A plan made ready for a card: its kernels translated, its tables uploaded. A run puts its launches on the
/// device's stream and does not wait for them, unless an index has to be looked at.</summary>
internal sealed unsafe class CudaKernel : Kernel
{
    private readonly CudaDevice _device;
    private readonly KernelPlan _plan;
    private readonly nint[] _functions;
    private readonly DeviceMemory[] _tables;
    private readonly byte[] _values;
    private readonly nint[][] _valueAddresses;
    private readonly int _mostArguments;
    private readonly bool _looksAtIndices;

    /// <param name="device">The card.</param>
    /// <param name="plan">What runs on it.</param>
    public CudaKernel(CudaDevice device, KernelPlan plan)
    {
        _device = device;
        _plan = plan;
        _functions = [.. plan.Launches.Select(device.Function)];
        _mostArguments = plan.Launches.Length == 0 ? 0 : plan.Launches.Max(launch => launch.Arguments.Length);
        _looksAtIndices = plan.Launches.Any(launch => launch.Arguments.Any(argument => argument is WrongIndexArgument));
        _tables = new DeviceMemory[plan.Tables.Length];
        for (var i = 0; i < _tables.Length; i++)
        {
            _tables[i] = device.Allocate(plan.Tables[i].Length);
            device.Upload<byte>(plan.Tables[i], _tables[i].Address);
        }

        // Values stay where they are, so that a run only points at them.
        var values = plan.Launches.SelectMany(launch => launch.Arguments).OfType<ValueArgument>();
        _values = GC.AllocateArray<byte>(values.Sum(Room), pinned: true);
        var used = 0;
        _valueAddresses = [.. plan.Launches.Select(launch => launch.Arguments.Select(Put).ToArray())];

        nint Put(Argument argument)
        {
            if (argument is not ValueArgument value)
            {
                return 0;
            }

            value.Bytes.CopyTo(_values, used);
            var address = Marshal.UnsafeAddrOfPinnedArrayElement(_values, used);
            used += Room(value);
            return address;
        }
    }

    /// <inheritdoc/>
    public override string Name => _plan.Name;

    /// <inheritdoc/>
    public override double Flops => _plan.Flops;

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var workspaces = stackalloc nint[_plan.Workspaces.Length];
        var taken = 0;
        try
        {
            for (; taken < _plan.Workspaces.Length; taken++)
            {
                workspaces[taken] = _device.Pool.Take(_plan.Workspaces[taken]);
            }

            var addresses = stackalloc nint[_mostArguments];
            var pointers = stackalloc void*[_mostArguments];
            for (var i = 0; i < _functions.Length; i++)
            {
                var launch = _plan.Launches[i];
                for (var a = 0; a < launch.Arguments.Length; a++)
                {
                    addresses[a] = launch.Arguments[a] switch
                    {
                        ArrayArgument array => slots[array.Slot] + (nint)array.Offset,
                        WorkspaceArgument workspace => workspaces[workspace.Index],
                        TableArgument table => _tables[table.Index].Address,
                        WrongIndexArgument => _device.WrongIndex,
                        _ => 0,
                    };
                    var value = _valueAddresses[i][a];
                    pointers[a] = value == 0 ? addresses + a : (void*)value;
                }

                _device.Context.Launch(_functions[i], launch.Grid, pointers, launch.Kernel);
            }
        }
        finally
        {
            // What is taken next from the pool comes later on the stream.
            while (taken > 0)
            {
                taken--;
                _device.Pool.Return(workspaces[taken], _plan.Workspaces[taken]);
            }
        }

        if (_looksAtIndices)
        {
            _device.LookAtIndices();
        }

        GC.KeepAlive(this);
    }

    /// <summary>The bytes of a value, such that the next one is aligned.</summary>
    private static int Room(ValueArgument value) => (value.Bytes.Length + 7) / 8 * 8;
}
