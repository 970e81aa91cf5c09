using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Curvature.Kernels;

/// <summary>256 bits of lanes.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal unsafe struct Lanes256<T> : ILanes<Lanes256<T>>
    where T : unmanaged
{
    private Vector256<T> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Lanes256(Vector256<T> value) => _value = value;

    public static int Count => Vector256<T>.Count;

    public static int Size => 32;

    public static int TileRows => 6;

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Load(void* source) => new(Vector256.Load((T*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(void* target) => _value.Store((T*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> LoadSingles(float* source) =>
        new(Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreSingles(float* target)
    {
        var value = _value.AsDouble();
        Vector256.Narrow(value, value).GetLower().Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Create(double value) =>
        typeof(T) == typeof(float)
            ? new(Vector256.Create((float)value).As<float, T>())
            : new(Vector256.Create(value).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> CreateBits(ulong value) =>
        typeof(T) == typeof(float)
            ? new(Vector256.Create((uint)value).As<uint, T>())
            : new(Vector256.Create(value).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator +(Lanes256<T> a, Lanes256<T> b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator -(Lanes256<T> a, Lanes256<T> b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator *(Lanes256<T> a, Lanes256<T> b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator /(Lanes256<T> a, Lanes256<T> b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator -(Lanes256<T> a) => new(-a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> MultiplyAdd(Lanes256<T> a, Lanes256<T> b, Lanes256<T> c) =>
        typeof(T) == typeof(float)
            ? new(Vector256.FusedMultiplyAdd(
                a._value.AsSingle(), b._value.AsSingle(), c._value.AsSingle()).As<float, T>())
            : new(Vector256.FusedMultiplyAdd(
                a._value.AsDouble(), b._value.AsDouble(), c._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes256<T> a, Lanes256<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            _value = Vector256.FusedMultiplyAdd(
                a._value.AsSingle(), b._value.AsSingle(), _value.AsSingle()).As<float, T>();
        }
        else
        {
            _value = Vector256.FusedMultiplyAdd(
                a._value.AsDouble(), b._value.AsDouble(), _value.AsDouble()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(void* element, Lanes256<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            _value = Vector256.FusedMultiplyAdd(
                Vector256.Create(*(float*)element), b._value.AsSingle(), _value.AsSingle()).As<float, T>();
        }
        else
        {
            _value = Vector256.FusedMultiplyAdd(
                Vector256.Create(*(double*)element), b._value.AsDouble(), _value.AsDouble()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Max(Lanes256<T> a, Lanes256<T> b) => new(Vector256.Max(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Min(Lanes256<T> a, Lanes256<T> b) => new(Vector256.Min(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Clamp(Lanes256<T> a, Lanes256<T> low, Lanes256<T> high) =>
        new(Vector256.MinNative(high._value, Vector256.MaxNative(low._value, a._value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Scale(Lanes256<T> a, Lanes256<T> exponent) => Exponents.ScaleInTwoSteps(a, exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Abs(Lanes256<T> a) => new(Vector256.Abs(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Sqrt(Lanes256<T> a) => new(Vector256.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Floor(Lanes256<T> a) =>
        typeof(T) == typeof(float)
            ? new(Vector256.Floor(a._value.AsSingle()).As<float, T>())
            : new(Vector256.Floor(a._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Round(Lanes256<T> a) =>
        typeof(T) == typeof(float)
            ? new(Vector256.Round(a._value.AsSingle()).As<float, T>())
            : new(Vector256.Round(a._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Greater(Lanes256<T> a, Lanes256<T> b) => new(Vector256.GreaterThan(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> GreaterOrEqual(Lanes256<T> a, Lanes256<T> b) =>
        new(Vector256.GreaterThanOrEqual(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Equal(Lanes256<T> a, Lanes256<T> b) => new(Vector256.Equals(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Select(Lanes256<T> mask, Lanes256<T> a, Lanes256<T> b) =>
        new(Vector256.ConditionalSelect(mask._value, a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Lanes256<T> mask) => mask._value.AsUInt64() != Vector256<ulong>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator &(Lanes256<T> a, Lanes256<T> b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator |(Lanes256<T> a, Lanes256<T> b) => new(a._value | b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator ^(Lanes256<T> a, Lanes256<T> b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> AddBits(Lanes256<T> a, Lanes256<T> b) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() + b._value.AsUInt32()).As<uint, T>())
            : new((a._value.AsUInt64() + b._value.AsUInt64()).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> SubtractBits(Lanes256<T> a, Lanes256<T> b) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() - b._value.AsUInt32()).As<uint, T>())
            : new((a._value.AsUInt64() - b._value.AsUInt64()).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator <<(Lanes256<T> a, int count) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() << count).As<uint, T>())
            : new((a._value.AsUInt64() << count).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> operator >>>(Lanes256<T> a, int count) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() >>> count).As<uint, T>())
            : new((a._value.AsUInt64() >>> count).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> RotateLeft(Lanes256<T> a, int count) => (a << count) | (a >>> (8 * sizeof(T) - count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Across<TOperation>(Lanes256<T> a)
        where TOperation : struct, IBinary =>
        Lanes128<T>.Across<TOperation>(TOperation.Invoke(
            new Lanes128<T>(a._value.GetLower()),
            new Lanes128<T>(a._value.GetUpper())));

    public static Lanes256<T> LaneNumbers
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float)
            ? new(Vector256<uint>.Indices.As<uint, T>())
            : new(Vector256<ulong>.Indices.As<ulong, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> Broadcast(void* element) => new(Vector256.Create(*(T*)element));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> KeepFrom(Lanes256<T> a, int first) =>
        new(Vector256.ConditionalSelect(
            Vector256.GreaterThanOrEqual(Vector256<T>.Indices, Create(first)._value), a._value, Vector256<T>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> LoadBlocks(void* source, nint* rows)
    {
        var from = (T*)source;
        return new(Vector256.Create(Vector128.Load(from + rows[0]), Vector128.Load(from + rows[Vector128<T>.Count])));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreBlockSum(void* target) => (_value.GetLower() + _value.GetUpper()).Store((T*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> InterleaveLow(Lanes256<T> a, Lanes256<T> b) =>
        typeof(T) == typeof(float)
            ? new(Avx.UnpackLow(a._value.AsSingle(), b._value.AsSingle()).As<float, T>())
            : JoinLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> InterleaveHigh(Lanes256<T> a, Lanes256<T> b) =>
        typeof(T) == typeof(float)
            ? new(Avx.UnpackHigh(a._value.AsSingle(), b._value.AsSingle()).As<float, T>())
            : JoinHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> JoinLow(Lanes256<T> a, Lanes256<T> b) =>
        new(Avx.UnpackLow(a._value.AsDouble(), b._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<T> JoinHigh(Lanes256<T> a, Lanes256<T> b) =>
        new(Avx.UnpackHigh(a._value.AsDouble(), b._value.AsDouble()).As<double, T>());
}
