namespace Curvature.Kernels;

/// <summary>One spatial axis of a convolution or of pooling: output o reads input o·Stride + k·Dilation − Before for
/// every k below Kernel. Positions outside the input hold zeros.</summary>
/// <param name="Input">Positions of the input.</param>
/// <param name="Kernel">Positions of the filter, or of the window.</param>
/// <param name="Stride">Input positions from one output to the next.</param>
/// <param name="Before">Zeros before the input.</param>
/// <param name="After">Zeros after it.</param>
/// <param name="Dilation">Input positions from one filter position to the next.</param>
/// <remarks>Kernels address positions by 32-bit numbers: they refuse an axis whose input with its zeros, or whose
/// <see cref="Span"/>, is longer than 2³¹ − 1.</remarks>
public readonly record struct WindowAxis(
    int Input, int Kernel, int Stride = 1, int Before = 0, int After = 0, int Dilation = 1)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Input} by {Kernel}, stride {Stride}, zeros {Before} and {After}, dilation {Dilation}";

    /// <summary>Input positions that one output spans.</summary>
    public long Span => ((Kernel - 1L) * Dilation) + 1;

    /// <summary>Positions of the input with its zeros.</summary>
    public long Padded => (long)Input + Before + After;

    /// <summary>Positions of the output; 0 where the filter is larger than the input with its zeros.</summary>
    /// <exception cref="DescriptionException">The stride is not positive, or there are more positions than an axis can
    /// have.</exception>
    public int Output
    {
        get
        {
            var room = Padded - Span;
            if (room < 0)
            {
                return 0;
            }

            Check.Positive(Stride, nameof(Stride));
            var output = (room / Stride) + 1;
            return output <= int.MaxValue ? (int)output : throw WindowCheck.TooLong(output, nameof(Output));
        }
    }
}
