using Curvature.Kernels;

namespace Curvature.CSharp;

/// <summary>Making tensors: <c>Tensor.FromArray([1, 2, 3, 4], 2, 2)</c>, <c>Tensor.Zeros(DType.Float32, 3)</c>,
/// <c>Tensor.Normal(key, DType.Float64, 10)</c>. An array without a shape becomes a vector.</summary>
public static class Tensors
{
    extension(Tensor)
    {
        /// <inheritdoc cref="FSharp.Tensor.ofArray"/>
        public static Tensor FromArray(double[] values, params int[] shape) =>
            FSharp.Tensor.ofArray(shape.OrVector(values.NotNull().Length).ToFSharpList(), values);

        /// <summary>A <see cref="DType.Float64"/> matrix, of shape [rows, columns].</summary>
        public static Tensor FromArray(double[,] values) =>
            FSharp.Tensor.ofArray(values.Lengths().ToFSharpList(), values.InRowMajorOrder());

        /// <inheritdoc cref="FSharp.Tensor.ofSingleArray"/>
        public static Tensor FromSingleArray(float[] values, params int[] shape) =>
            FSharp.Tensor.ofSingleArray(shape.OrVector(values.NotNull().Length).ToFSharpList(), values);

        /// <inheritdoc cref="FSharp.Tensor.ofIndices"/>
        public static Tensor FromIndices(int[] values, params int[] shape) =>
            FSharp.Tensor.ofIndices(shape.OrVector(values.NotNull().Length).ToFSharpList(), values);

        /// <inheritdoc cref="FSharp.Tensor.scalar"/>
        public static Tensor Scalar(DType dtype, double value) => FSharp.Tensor.scalar(dtype, value);

        /// <inheritdoc cref="FSharp.Tensor.full"/>
        public static Tensor Full(DType dtype, double value, params int[] shape) =>
            FSharp.Tensor.full(dtype, shape.ToFSharpList(), value);

        /// <inheritdoc cref="FSharp.Tensor.zeros"/>
        public static Tensor Zeros(DType dtype, params int[] shape) => FSharp.Tensor.zeros(dtype, shape.ToFSharpList());

        /// <inheritdoc cref="FSharp.Tensor.ones"/>
        public static Tensor Ones(DType dtype, params int[] shape) => FSharp.Tensor.ones(dtype, shape.ToFSharpList());

        /// <inheritdoc cref="FSharp.Tensor.fullLike"/>
        public static Tensor FullLike(Tensor like, double value) => FSharp.Tensor.fullLike(like.NotNull(), value);

        /// <inheritdoc cref="FSharp.Tensor.zerosLike"/>
        public static Tensor ZerosLike(Tensor like) => FSharp.Tensor.zerosLike(like.NotNull());

        /// <inheritdoc cref="FSharp.Tensor.onesLike"/>
        public static Tensor OnesLike(Tensor like) => FSharp.Tensor.onesLike(like.NotNull());

        /// <inheritdoc cref="FSharp.Tensor.arange"/>
        public static Tensor Arange(DType dtype, int count) => FSharp.Tensor.arange(dtype, count);

        /// <inheritdoc cref="FSharp.Tensor.linspace"/>
        public static Tensor Linspace(DType dtype, double first, double last, int count) =>
            FSharp.Tensor.linspace(dtype, first, last, count);

        /// <inheritdoc cref="FSharp.Tensor.eye"/>
        public static Tensor Eye(DType dtype, int size) => FSharp.Tensor.eye(dtype, size);

        /// <inheritdoc cref="FSharp.Tensor.uniform"/>
        public static Tensor Uniform(Key key, DType dtype, params int[] shape) =>
            FSharp.Tensor.uniform(key, dtype, shape.ToFSharpList());

        /// <inheritdoc cref="FSharp.Tensor.normal"/>
        public static Tensor Normal(Key key, DType dtype, params int[] shape) =>
            FSharp.Tensor.normal(key, dtype, shape.ToFSharpList());

        /// <inheritdoc cref="FSharp.Tensor.rademacher"/>
        public static Tensor Rademacher(Key key, DType dtype, params int[] shape) =>
            FSharp.Tensor.rademacher(key, dtype, shape.ToFSharpList());
    }

    /// <inheritdoc cref="FSharp.Tensor.convert"/>
    public static Tensor Convert(this Tensor tensor, DType dtype) => FSharp.Tensor.convert(dtype, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.toDevice"/>
    public static Tensor ToDevice(this Tensor tensor, Device device) =>
        FSharp.Tensor.toDevice(device.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.oneHot"/>
    public static Tensor OneHot(this Tensor labels, DType dtype, int classes) =>
        FSharp.Tensor.oneHot(dtype, classes, labels.NotNull());

    private static int[] OrVector(this int[] shape, int count) => shape.NotNull().Length == 0 ? [count] : shape;

    private static int[] Lengths(this double[,] values) => [values.NotNull().GetLength(0), values.GetLength(1)];

    private static double[] InRowMajorOrder(this double[,] values)
    {
        var elements = new double[values.Length];
        Buffer.BlockCopy(values, 0, elements, 0, sizeof(double) * values.Length);
        return elements;
    }
}
