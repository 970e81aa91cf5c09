using System.Buffers;

namespace Curvature.Kernels;

/// <summary>Matrix products of plain spans.</summary>
public static class Gemm
{
    /// <summary>C ← α·op(A)·op(B) + β·C, where op(X) is X or its transpose, on the calling thread. Matrices are
    /// row-major: element (i, j) of a matrix with leading dimension l is at i·l + j. op(A) is m × k, op(B) k × n and
    /// C m × n.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="transposeA">Whether op(A) is the transpose of A.</param>
    /// <param name="transposeB">Whether op(B) is the transpose of B.</param>
    /// <param name="m">Rows of op(A) and of C.</param>
    /// <param name="n">Columns of op(B) and of C.</param>
    /// <param name="k">Columns of op(A), rows of op(B).</param>
    /// <param name="alpha">The factor of the product. If it is 0, A and B are not read.</param>
    /// <param name="a">A.</param>
    /// <param name="lda">From one row of A to the next; no less than its columns.</param>
    /// <param name="b">B.</param>
    /// <param name="ldb">From one row of B to the next; no less than its columns.</param>
    /// <param name="beta">The factor of C. If it is 0, C is not read.</param>
    /// <param name="c">C; shares no element with A or B.</param>
    /// <param name="ldc">From one row of C to the next; no less than its columns.</param>
    /// <param name="instructionSet">The vector instructions to use; by default the best of this machine.</param>
    /// <exception cref="DTypeException"><typeparamref name="T"/> is neither float nor double.</exception>
    /// <exception cref="DeviceException">This machine does not have the instructions.</exception>
    /// <exception cref="DescriptionException">A size is negative, a leading dimension too small, a span too short for
    /// its matrix, or C overlaps A or B.</exception>
    /// <remarks>The arguments are those of BLAS, in its order. Each call plans its product anew. For one of fixed shape
    /// that runs many times, <see cref="Device.Contract"/> plans once, and can use several threads and packed
    /// operands.</remarks>
    public static unsafe void Multiply<T>(
        bool transposeA,
        bool transposeB,
        int m,
        int n,
        int k,
        T alpha,
        ReadOnlySpan<T> a,
        int lda,
        ReadOnlySpan<T> b,
        int ldb,
        T beta,
        Span<T> c,
        int ldc,
        InstructionSet? instructionSet = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dtype = DTypeOf<T>();
        Check.NotNegative(m, nameof(m));
        Check.NotNegative(n, nameof(n));
        Check.NotNegative(k, nameof(k));
        CheckMatrix(a, transposeA ? k : m, transposeA ? m : k, lda, nameof(a), nameof(lda));
        CheckMatrix(b, transposeB ? n : k, transposeB ? k : n, ldb, nameof(b), nameof(ldb));
        CheckMatrix(c, m, n, ldc, nameof(c), nameof(ldc));
        if (c.Overlaps(a) || c.Overlaps(b))
        {
            throw new DescriptionException("C overlaps A or B.", nameof(c));
        }

        Scale(c, m, n, ldc, beta);
        if (T.IsZero(alpha))
        {
            k = 0;
        }

        // The factor goes to the smaller operand, on its way into a buffer.
        T[]? scaled = null;
        if (alpha != T.One && k > 0)
        {
            if (m <= n)
            {
                a = scaled = ScaledCopy(a, transposeA ? k : m, transposeA ? m : k, ref lda, alpha);
            }
            else
            {
                b = scaled = ScaledCopy(b, transposeB ? n : k, transposeB ? k : n, ref ldb, alpha);
            }
        }

        ContractionAxis[] axes =
        [
            new(AxisRole.Left, m, transposeA ? 1 : lda, 0, ldc),
            new(AxisRole.Right, n, 0, transposeB ? ldb : 1, 1),
            new(AxisRole.Inner, k, transposeA ? lda : 1, transposeB ? 1 : ldb, 0),
        ];
        var contraction = new ContractionDescription(
            dtype, axes, new(0, 0), new(1, 0), new(2, 0), Accumulate: !T.IsZero(beta));
        var kernel = ContractionKernels.Contract(contraction, instructionSet ?? InstructionSets.Best, CallingThread);
        fixed (T* pointerA = a, pointerB = b, pointerC = c)
        {
            kernel.Run([(nint)pointerA, (nint)pointerB, (nint)pointerC], threads: 1);
        }

        if (scaled is not null)
        {
            ArrayPool<T>.Shared.Return(scaled);
        }
    }

    private static ThreadTeam CallingThread { get; } = new(1);

    private static DType DTypeOf<T>() =>
        typeof(T) == typeof(float) ? DType.Float32
        : typeof(T) == typeof(double) ? DType.Float64
        : throw new DTypeException($"Matrix products are of float or double, not of {typeof(T).Name}.");

    private static void CheckMatrix<T>(
        ReadOnlySpan<T> matrix, int rows, int columns, int leading, string name, string leadingName)
    {
        if (leading < Math.Max(1, columns))
        {
            throw new DescriptionException(
                $"Matrix {name} has {columns} columns; its leading dimension is at least as much, and at least 1; "
                + $"got {leading}.",
                leadingName);
        }

        var needed = rows == 0 || columns == 0 ? 0 : ((long)(rows - 1) * leading) + columns;
        if (matrix.Length < needed)
        {
            throw new DescriptionException(
                $"A {rows} × {columns} matrix with leading dimension {leading} takes {needed} elements, "
                + $"and the span has {matrix.Length}.",
                name);
        }
    }

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

    private static T[] ScaledCopy<T>(ReadOnlySpan<T> matrix, int rows, int columns, ref int leading, T factor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var copy = ArrayPool<T>.Shared.Rent(checked(rows * columns));
        for (var i = 0; i < rows; i++)
        {
            var source = matrix.Slice(i * leading, columns);
            var target = copy.AsSpan(i * columns, columns);
            for (var j = 0; j < columns; j++)
            {
                target[j] = factor * source[j];
            }
        }

        leading = columns;
        return copy;
    }
}
