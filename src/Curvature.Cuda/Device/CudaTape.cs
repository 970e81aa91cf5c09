namespace Curvature.Cuda;

/// <summary>A tape that reads several elements at once where all arrays begin at multiples of 16 bytes, and one by one
/// where they do not. The second is translated when it is first needed.</summary>
internal sealed class CudaTape : Kernel
{
    private const int Alignment = 16;

    private readonly CudaKernel _kernel;
    private readonly Lazy<CudaKernel>? _unaligned;
    private readonly int[] _slots;

    public CudaTape(CudaDevice device, TapeDescription tape)
    {
        _kernel = new CudaKernel(device, TapePlans.Make(tape, vectors: true));
        _slots = [.. tape.Inputs.Select(input => input.Place.Slot)
            .Concat(tape.Outputs.Select(output => output.Target.Place.Slot))
            .Distinct()];
        _unaligned = TapeText.Of(tape, vectors: true).Vector > 1
            ? new Lazy<CudaKernel>(() => new CudaKernel(device, TapePlans.Make(tape, vectors: false)))
            : null;
    }

    /// <inheritdoc/>
    public override string Name => _kernel.Name;

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        if (_unaligned is not null)
        {
            foreach (var slot in _slots)
            {
                if (slots[slot] % Alignment != 0)
                {
                    _unaligned.Value.Run(slots, threads);
                    return;
                }
            }
        }

        _kernel.Run(slots, threads);
    }
}
