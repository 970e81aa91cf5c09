namespace Curvature;

/// <summary>The element type of an array. Arithmetic is done in <see cref="Float32"/> or <see cref="Float64"/>;
/// <see cref="Int32"/> holds indices.</summary>
public enum DType
{
    /// <summary>IEEE 754 single precision, 4 bytes.</summary>
    Float32 = 0,

    /// <summary>IEEE 754 double precision, 8 bytes.</summary>
    Float64 = 1,

    /// <summary>32-bit signed integer, for indices.</summary>
    Int32 = 2,
}
