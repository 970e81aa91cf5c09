using System.Buffers;

namespace Curvature.Kernels;

/// <summary>Matrix products of plain spans.</summary>
public static class Gemm
{
    /// <summary>C ← α·A·B + β·C, on the calling thread.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="alpha">The factor of the product. If it is 0, A and B are not read.</param>
    /// <param name="a">A, or a transpose.</param>
    /// <param name="b">B, or a transpose, with as many rows as A has columns.</param>
    /// <param name="beta">The factor of C. If it is 0, C is not read.</param>
    /// <param name="c">C, row-major; shares no element with A or B.</param>
    /// <param name="leading">From one row of C to the next; no less than the columns of B.</param>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is neither float nor double.</exception>
    /// <exception cref="DescriptionException">A and B do not fit each other, the leading dimension of C is too small,
    /// its span too short, or C overlaps A or B.</exception>
    /// <remarks>Each call plans its product anew. For one of fixed shape that runs many times,
    /// <see cref="Device.Contract"/> plans once, and can use several threads and packed operands.</remarks>
    public static unsafe void Multiply<T>(
        T alpha, MatrixSpan<T> a, MatrixSpan<T> b, T beta, Span<T> c, int leading)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dtype = DTypeOf<T>();
        var (m, n, k) = (a.Rows, b.Columns, a.Columns);
        if (b.Rows != k)
        {
            throw new DescriptionException($"A has {k} columns, and B {b.Rows} rows.", nameof(b));
        }

        MatrixSpan<T>.Check(c.Length, m, n, leading);
        if (c.Overlaps(a.Elements) || c.Overlaps(b.Elements))
        {
            throw new DescriptionException("C overlaps A or B.", nameof(c));
        }

        Scale(c, m, n, leading, beta);
        if (T.IsZero(alpha) || k == 0)
        {
            Contract(dtype, new([], m, 0, 1), new([], 0, n, Math.Max(n, 1)), beta, c, leading);
            return;
        }

        if (alpha == T.One)
        {
            Contract(dtype, a, b, beta, c, leading);
            return;
        }

        // The factor goes to the smaller operand, on its way into a buffer.
        var scaled = ArrayPool<T>.Shared.Rent(checked(m <= n ? m * k : k * n));
        if (m <= n)
        {
            Contract(dtype, ScaledCopy(a, alpha, scaled), b, beta, c, leading);
        }
        else
        {
            Contract(dtype, a, ScaledCopy(b, alpha, scaled), beta, c, leading);
        }

        ArrayPool<T>.Shared.Return(scaled);
    }

    private static ThreadTeam CallingThread { get; } = new(1);

    private static unsafe void Contract<T>(
        DType dtype, MatrixSpan<T> a, MatrixSpan<T> b, T beta, Span<T> c, int leading)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ContractionAxis[] axes =
        [
            new(AxisRole.Left, a.Rows, a.RowStride, 0, leading),
            new(AxisRole.Right, b.Columns, 0, b.ColumnStride, 1),
            new(AxisRole.Inner, a.Columns, a.ColumnStride, b.RowStride, 0),
        ];
        var contraction = new ContractionDescription(
            dtype, axes, new(0, 0), new(1, 0), new(2, 0), Accumulate: !T.IsZero(beta));
        var kernel = ContractionKernels.Contract(contraction, InstructionSets.Best, CallingThread);
        fixed (T* pointerA = a.Elements, pointerB = b.Elements, pointerC = c)
        {
            kernel.Run([(nint)pointerA, (nint)pointerB, (nint)pointerC], threads: 1);
        }
    }

    private static DType DTypeOf<T>() =>
        typeof(T) == typeof(float) ? DType.Float32
        : typeof(T) == typeof(double) ? DType.Float64
        : throw new DTypeException($"Matrix products are of float or double, not of {typeof(T).Name}.");

    private static void Scale<T>(Span<T> matrix, int rows, int columns, int leading, T factor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // At 0 the product overwrites the matrix, at 1 it is added to it as it is.
        if (T.IsZero(factor) || factor == T.One)
        {
            return;
        }

        for (var i = 0; i < rows; i++)
        {
            foreach (ref var element in matrix.Slice(i * leading, columns))
            {
                element *= factor;
            }
        }
    }

    private static MatrixSpan<T> ScaledCopy<T>(MatrixSpan<T> matrix, T factor, T[] copy)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (rows, columns) = (matrix.Rows, matrix.Columns);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                copy[(i * columns) + j] =
                    factor * matrix.Elements[(i * matrix.RowStride) + (j * matrix.ColumnStride)];
            }
        }

        return new(copy, rows, columns, Math.Max(columns, 1));
    }
}
