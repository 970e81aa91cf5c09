using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Curvature.Kernels;

/// <summary>512 bits of lanes.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal unsafe struct Lanes512<T> : ILanes<Lanes512<T>>
    where T : unmanaged
{
    private Vector512<T> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes512(Vector512<T> value) => _value = value;

    public static int Count => Vector512<T>.Count;

    public static int Size => 64;

    public static int TileRows => 14;

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Load(void* source) => new(Vector512.Load((T*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(void* target) => _value.Store((T*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> LoadSingles(float* source) =>
        new(Vector512.WidenLower(Vector256.Load(source).ToVector512Unsafe()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreSingles(float* target)
    {
        var value = _value.AsDouble();
        Vector512.Narrow(value, value).GetLower().Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Create(double value) =>
        typeof(T) == typeof(float)
            ? new(Vector512.Create((float)value).As<float, T>())
            : new(Vector512.Create(value).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> CreateBits(ulong value) =>
        typeof(T) == typeof(float)
            ? new(Vector512.Create((uint)value).As<uint, T>())
            : new(Vector512.Create(value).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator +(Lanes512<T> a, Lanes512<T> b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator -(Lanes512<T> a, Lanes512<T> b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator *(Lanes512<T> a, Lanes512<T> b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator /(Lanes512<T> a, Lanes512<T> b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator -(Lanes512<T> a) => new(-a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> MultiplyAdd(Lanes512<T> a, Lanes512<T> b, Lanes512<T> c) =>
        typeof(T) == typeof(float)
            ? new(Vector512.FusedMultiplyAdd(
                a._value.AsSingle(), b._value.AsSingle(), c._value.AsSingle()).As<float, T>())
            : new(Vector512.FusedMultiplyAdd(
                a._value.AsDouble(), b._value.AsDouble(), c._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes512<T> a, Lanes512<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            _value = Vector512.FusedMultiplyAdd(
                a._value.AsSingle(), b._value.AsSingle(), _value.AsSingle()).As<float, T>();
        }
        else
        {
            _value = Vector512.FusedMultiplyAdd(
                a._value.AsDouble(), b._value.AsDouble(), _value.AsDouble()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(void* element, Lanes512<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            _value = Vector512.FusedMultiplyAdd(
                Vector512.Create(*(float*)element), b._value.AsSingle(), _value.AsSingle()).As<float, T>();
        }
        else
        {
            _value = Vector512.FusedMultiplyAdd(
                Vector512.Create(*(double*)element), b._value.AsDouble(), _value.AsDouble()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Max(Lanes512<T> a, Lanes512<T> b) => new(Vector512.Max(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Min(Lanes512<T> a, Lanes512<T> b) => new(Vector512.Min(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Clamp(Lanes512<T> a, Lanes512<T> low, Lanes512<T> high) =>
        new(Vector512.MinNative(high._value, Vector512.MaxNative(low._value, a._value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Scale(Lanes512<T> a, Lanes512<T> exponent) =>
        typeof(T) == typeof(float)
            ? new(Avx512F.Scale(a._value.AsSingle(), exponent._value.AsSingle()).As<float, T>())
            : new(Avx512F.Scale(a._value.AsDouble(), exponent._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Abs(Lanes512<T> a) => new(Vector512.Abs(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Sqrt(Lanes512<T> a) => new(Vector512.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Floor(Lanes512<T> a) =>
        typeof(T) == typeof(float)
            ? new(Vector512.Floor(a._value.AsSingle()).As<float, T>())
            : new(Vector512.Floor(a._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Round(Lanes512<T> a) =>
        typeof(T) == typeof(float)
            ? new(Vector512.Round(a._value.AsSingle()).As<float, T>())
            : new(Vector512.Round(a._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Greater(Lanes512<T> a, Lanes512<T> b) => new(Vector512.GreaterThan(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> GreaterOrEqual(Lanes512<T> a, Lanes512<T> b) =>
        new(Vector512.GreaterThanOrEqual(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Equal(Lanes512<T> a, Lanes512<T> b) => new(Vector512.Equals(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Select(Lanes512<T> mask, Lanes512<T> a, Lanes512<T> b) =>
        new(Vector512.ConditionalSelect(mask._value, a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Lanes512<T> mask) => mask._value.AsUInt64() != Vector512<ulong>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator &(Lanes512<T> a, Lanes512<T> b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator |(Lanes512<T> a, Lanes512<T> b) => new(a._value | b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator ^(Lanes512<T> a, Lanes512<T> b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> AddBits(Lanes512<T> a, Lanes512<T> b) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() + b._value.AsUInt32()).As<uint, T>())
            : new((a._value.AsUInt64() + b._value.AsUInt64()).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> SubtractBits(Lanes512<T> a, Lanes512<T> b) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() - b._value.AsUInt32()).As<uint, T>())
            : new((a._value.AsUInt64() - b._value.AsUInt64()).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator <<(Lanes512<T> a, int count) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() << count).As<uint, T>())
            : new((a._value.AsUInt64() << count).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> operator >>>(Lanes512<T> a, int count) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() >>> count).As<uint, T>())
            : new((a._value.AsUInt64() >>> count).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> RotateLeft(Lanes512<T> a, int count) => (a << count) | (a >>> (8 * sizeof(T) - count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Across<TOperation>(Lanes512<T> a)
        where TOperation : struct, IBinary =>
        Lanes256<T>.Across<TOperation>(TOperation.Invoke(
            new Lanes256<T>(a._value.GetLower()),
            new Lanes256<T>(a._value.GetUpper())));

    public static Lanes512<T> LaneNumbers
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float)
            ? new(Vector512<uint>.Indices.As<uint, T>())
            : new(Vector512<ulong>.Indices.As<ulong, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> Broadcast(void* element) => new(Vector512.Create(*(T*)element));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> KeepFrom(Lanes512<T> a, int first) =>
        new(Vector512.ConditionalSelect(
            Vector512.GreaterThanOrEqual(Vector512<T>.Indices, Create(first)._value), a._value, Vector512<T>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> LoadBlocks(void* source, nint* rows)
    {
        // Each half costs one insertion. Vector512.Create(lower, upper) inserts both halves, the lower one into what
        // the register held before, and so each block would wait for the one before it.
        var from = (T*)source;
        var block = Vector128<T>.Count;
        var lower = Vector256.Create(Vector128.Load(from + rows[0]), Vector128.Load(from + rows[block]));
        var upper = Vector256.Create(Vector128.Load(from + rows[2 * block]), Vector128.Load(from + rows[3 * block]));
        return new(lower.ToVector512Unsafe().WithUpper(upper));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreBlockSum(void* target)
    {
        var half = _value.GetLower() + _value.GetUpper();
        (half.GetLower() + half.GetUpper()).Store((T*)target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> InterleaveLow(Lanes512<T> a, Lanes512<T> b) =>
        typeof(T) == typeof(float)
            ? new(Avx512F.UnpackLow(a._value.AsSingle(), b._value.AsSingle()).As<float, T>())
            : JoinLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> InterleaveHigh(Lanes512<T> a, Lanes512<T> b) =>
        typeof(T) == typeof(float)
            ? new(Avx512F.UnpackHigh(a._value.AsSingle(), b._value.AsSingle()).As<float, T>())
            : JoinHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> JoinLow(Lanes512<T> a, Lanes512<T> b) =>
        new(Avx512F.UnpackLow(a._value.AsDouble(), b._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<T> JoinHigh(Lanes512<T> a, Lanes512<T> b) =>
        new(Avx512F.UnpackHigh(a._value.AsDouble(), b._value.AsDouble()).As<double, T>());
}
