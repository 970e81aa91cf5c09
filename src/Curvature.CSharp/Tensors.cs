using Curvature.Kernels;

namespace Curvature.CSharp;

/// <summary>Making tensors: <c>Tensor.FromArray([1, 2, 3, 4], 2, 2)</c>, <c>Tensor.Zeros(DType.Float32, 3)</c>,
/// <c>Tensor.Normal(key, DType.Float64, 10)</c>.</summary>
public static class Tensors
{
    extension(Tensor)
    {
        /// <summary>A <see cref="DType.Float64"/> tensor from values in row-major order.</summary>
        /// <param name="values">The elements.</param>
        /// <param name="shape">The lengths of the axes; without any, the tensor is a vector.</param>
        /// <exception cref="ShapeException">The values do not fill the shape.</exception>
        public static Tensor FromArray(double[] values, params int[] shape) =>
            FSharp.Tensor.ofArray(shape.OrVector(values.NotNull().Length).ToFSharpList(), values);

        /// <summary>A <see cref="DType.Float64"/> matrix, of shape [rows, columns].</summary>
        /// <param name="values">The elements.</param>
        public static Tensor FromArray(double[,] values) =>
            FSharp.Tensor.ofArray(values.Lengths().ToFSharpList(), values.InRowMajorOrder());

        /// <summary>A <see cref="DType.Float32"/> tensor from values in row-major order.</summary>
        /// <param name="values">The elements.</param>
        /// <param name="shape">The lengths of the axes; without any, the tensor is a vector.</param>
        /// <exception cref="ShapeException">The values do not fill the shape.</exception>
        public static Tensor FromSingleArray(float[] values, params int[] shape) =>
            FSharp.Tensor.ofSingleArray(shape.OrVector(values.NotNull().Length).ToFSharpList(), values);

        /// <summary>An <see cref="DType.Int32"/> tensor, for indices and labels, from values in row-major order.</summary>
        /// <param name="values">The elements.</param>
        /// <param name="shape">The lengths of the axes; without any, the tensor is a vector.</param>
        /// <exception cref="ShapeException">The values do not fill the shape.</exception>
        public static Tensor FromIndices(int[] values, params int[] shape) =>
            FSharp.Tensor.ofIndices(shape.OrVector(values.NotNull().Length).ToFSharpList(), values);

        /// <summary>A tensor of one number, with no axes.</summary>
        public static Tensor Scalar(DType dtype, double value) => FSharp.Tensor.scalar(dtype, value);

        /// <summary>The same number everywhere. It takes the memory of one number.</summary>
        public static Tensor Full(DType dtype, double value, params int[] shape) =>
            FSharp.Tensor.full(dtype, shape.ToFSharpList(), value);

        /// <summary>Zeros.</summary>
        public static Tensor Zeros(DType dtype, params int[] shape) => FSharp.Tensor.zeros(dtype, shape.ToFSharpList());

        /// <summary>Ones.</summary>
        public static Tensor Ones(DType dtype, params int[] shape) => FSharp.Tensor.ones(dtype, shape.ToFSharpList());

        /// <summary>The same number in the shape, element type and device of another tensor.</summary>
        public static Tensor FullLike(Tensor like, double value) => FSharp.Tensor.fullLike(like.NotNull(), value);

        /// <summary>Zeros in the shape, element type and device of another tensor.</summary>
        public static Tensor ZerosLike(Tensor like) => FSharp.Tensor.zerosLike(like.NotNull());

        /// <summary>Ones in the shape, element type and device of another tensor.</summary>
        public static Tensor OnesLike(Tensor like) => FSharp.Tensor.onesLike(like.NotNull());

        /// <summary>0, 1, …, count − 1.</summary>
        /// <exception cref="ArgumentRangeException">The count is negative.</exception>
        public static Tensor Arange(DType dtype, int count) => FSharp.Tensor.arange(dtype, count);

        /// <summary><paramref name="count"/> numbers from first to last at equal distances, <see cref="DType.Float64"/>.</summary>
        /// <exception cref="ArgumentRangeException">Fewer than two numbers are asked for.</exception>
        public static Tensor Linspace(double first, double last, int count) => FSharp.Tensor.linspace(first, last, count);

        /// <summary>The identity matrix.</summary>
        public static Tensor Eye(DType dtype, int size) => FSharp.Tensor.eye(dtype, size);

        /// <summary>Independent uniform numbers on [0, 1). Element i depends on the key and i alone, as in jax.random.uniform.</summary>
        /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
        public static Tensor Uniform(Key key, DType dtype, params int[] shape) =>
            FSharp.Tensor.uniform(key, dtype, shape.ToFSharpList());

        /// <summary>Independent standard normal numbers, as in jax.random.normal.</summary>
        /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
        public static Tensor Normal(Key key, DType dtype, params int[] shape) =>
            FSharp.Tensor.normal(key, dtype, shape.ToFSharpList());

        /// <summary>Independent signs, −1 or 1.</summary>
        /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
        public static Tensor Rademacher(Key key, DType dtype, params int[] shape) =>
            FSharp.Tensor.rademacher(key, dtype, shape.ToFSharpList());
    }

    /// <summary>The same values in another element type; from floating point to <see cref="DType.Int32"/> fractions are cut off.</summary>
    public static Tensor Convert(this Tensor tensor, DType dtype) => FSharp.Tensor.convert(dtype, tensor.NotNull());

    /// <summary>A copy on another device.</summary>
    public static Tensor ToDevice(this Tensor tensor, Device device) =>
        FSharp.Tensor.toDevice(device.NotNull(), tensor.NotNull());

    /// <summary>1 at each <see cref="DType.Int32"/> label, 0 elsewhere, along a new last axis of <paramref name="classes"/>.</summary>
    /// <param name="labels">The position of the 1 in each row.</param>
    /// <param name="dtype">The element type of the result.</param>
    /// <param name="classes">The length of the new axis.</param>
    /// <exception cref="DataException">A label is not one of 0 … classes − 1.</exception>
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
