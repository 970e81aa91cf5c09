namespace Curvature.Kernels;

/// <summary>One spatial axis of a convolution or of pooling: output o reads input o·Stride + k·Dilation − Before for every k
/// below Kernel. Positions outside the input hold zeros.</summary>
/// <param name="Input">Positions of the input.</param>
/// <param name="Kernel">Positions of the filter, or of the window.</param>
/// <param name="Stride">Input positions from one output to the next.</param>
/// <param name="Before">Zeros before the input.</param>
/// <param name="After">Zeros after it.</param>
/// <param name="Dilation">Input positions from one filter position to the next.</param>
public readonly record struct WindowAxis(
    int Input, int Kernel, int Stride = 1, int Before = 0, int After = 0, int Dilation = 1)
{
    /// <summary>Input positions that one output spans.</summary>
    public int Span => ((Kernel - 1) * Dilation) + 1;

    /// <summary>Positions of the output; 0 where the filter is larger than the input with its zeros.</summary>
    public int Output
    {
        get
        {
            var room = Input + Before + After - Span;
            return room < 0 ? 0 : (room / Stride) + 1;
        }
    }
}
