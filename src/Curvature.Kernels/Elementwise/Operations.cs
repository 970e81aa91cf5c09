namespace Curvature.Kernels;

/// <summary>A function of one, two or three vectors, as a type, so that the loop around it is compiled for
/// it.</summary>
internal interface IOperation
{
    /// <summary>Whether it is so cheap that a loop should do several vectors a turn.</summary>
    static virtual bool IsCheap => true;
}

internal interface IUnary : IOperation
{
    static abstract V Invoke<V>(V a)
        where V : struct, ILanes<V>;
}

internal interface IBinary : IOperation
{
    static abstract V Invoke<V>(V a, V b)
        where V : struct, ILanes<V>;
}

internal interface ITernary : IOperation
{
    static abstract V Invoke<V>(V a, V b, V c)
        where V : struct, ILanes<V>;
}

/// <summary>The operations of tapes.</summary>
internal static class Operations
{
    internal readonly struct Copy : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => a;
    }

    internal readonly struct Negate : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => -a;
    }

    internal readonly struct Abs : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => V.Abs(a);
    }

    internal readonly struct Sign : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> =>
            V.Select(
                V.Greater(a, V.Create(0.0)),
                V.Create(1.0),
                V.Select(V.Greater(V.Create(0.0), a), V.Create(-1.0), a));
    }

    internal readonly struct Floor : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => V.Floor(a);
    }

    internal readonly struct Sqrt : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => V.Sqrt(a);
    }

    internal readonly struct ReciprocalSqrt : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => V.Create(1.0) / V.Sqrt(a);
    }

    internal readonly struct Add : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => a + b;
    }

    internal readonly struct Subtract : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => a - b;
    }

    internal readonly struct Multiply : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => a * b;
    }

    internal readonly struct Divide : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => a / b;
    }

    internal readonly struct Maximum : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => V.Max(a, b);
    }

    internal readonly struct Minimum : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => V.Min(a, b);
    }

    internal readonly struct Greater : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => V.Greater(a, b) & V.Create(1.0);
    }

    internal readonly struct GreaterOrEqual : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => V.GreaterOrEqual(a, b) & V.Create(1.0);
    }

    internal readonly struct Equal : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => V.Equal(a, b) & V.Create(1.0);
    }

    internal readonly struct MultiplyAdd : ITernary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b, V c)
            where V : struct, ILanes<V> => V.MultiplyAdd(a, b, c);
    }

    internal readonly struct Select : ITernary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b, V c)
            where V : struct, ILanes<V> => V.Select(V.Equal(a, V.Create(0.0)), c, b);
    }

    internal readonly struct Exp : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Exponentials.Exp(a);
    }

    internal readonly struct Expm1 : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Exponentials.Expm1(a);
    }

    internal readonly struct Tanh : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Exponentials.Tanh(a);
    }

    internal readonly struct Sigmoid : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Exponentials.Sigmoid(a);
    }

    internal readonly struct Log : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Logarithms.Log(a);
    }

    internal readonly struct Log1p : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Logarithms.Log1p(a);
    }

    internal readonly struct Softplus : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Logarithms.Softplus(a);
    }

    internal readonly struct Sin : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Trigonometry.Sin(a);
    }

    internal readonly struct Cos : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => Trigonometry.Cos(a);
    }

    internal readonly struct Erf : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => ErrorFunctions.Erf(a);
    }

    internal readonly struct ErfInverse : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a)
            where V : struct, ILanes<V> => ErrorFunctions.ErfInverse(a);
    }

    /// <summary>Of bits; not an operation of tapes.</summary>
    internal readonly struct ExclusiveOr : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V a, V b)
            where V : struct, ILanes<V> => a ^ b;
    }
}
