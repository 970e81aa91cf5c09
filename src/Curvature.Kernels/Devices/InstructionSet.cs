using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Curvature.Kernels;

/// <summary>The vector instructions that a kernel is written for.</summary>
public enum InstructionSet
{
    /// <summary>128-bit vectors, on any machine.</summary>
    Portable = 0,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2 = 1,

    /// <summary>512-bit vectors with 32 registers.</summary>
    Avx512 = 2,
}

/// <summary>What this machine offers.</summary>
public static class InstructionSets
{
    /// <summary>The fastest instruction set of this machine. Where the runtime avoids 512-bit vectors (early processors
    /// lower their clock for them), that is <see cref="InstructionSet.Avx2"/>.</summary>
    public static InstructionSet Best { get; } =
        Vector512.IsHardwareAccelerated && IsSupported(InstructionSet.Avx512) ? InstructionSet.Avx512
        : IsSupported(InstructionSet.Avx2) ? InstructionSet.Avx2
        : InstructionSet.Portable;

    /// <summary>Whether kernels for <paramref name="set"/> run on this machine.</summary>
    public static bool IsSupported(InstructionSet set) => set switch
    {
        InstructionSet.Portable => true,
        InstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        InstructionSet.Avx512 => Avx512F.IsSupported,
        _ => false,
    };

    /// <summary>Throws where this machine does not have the instructions.</summary>
    internal static void Require(InstructionSet set)
    {
        if (!IsSupported(set))
        {
            throw new DeviceException($"Expected an instruction set of this machine, at best {Best}, got {set}.");
        }
    }
}
