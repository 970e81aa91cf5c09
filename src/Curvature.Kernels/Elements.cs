namespace Curvature.Kernels;

/// <summary>Facts about element types.</summary>
internal static class Elements
{
    /// <summary>Bytes of an element.</summary>
    public static int SizeOf(DType dtype) => dtype == DType.Float64 ? 8 : 4;

    /// <summary>A shape for people, such as 3×4.</summary>
    public static string Describe(int[] shape) => shape.Length == 0 ? "scalar" : string.Join('×', shape);
}
