using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Curvature.Kernels;

/// <summary>128 bits of lanes.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal unsafe struct Lanes128<T> : ILanes<Lanes128<T>>
    where T : unmanaged
{
    private Vector128<T> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Lanes128(Vector128<T> value) => _value = value;

    public static int Count => Vector128<T>.Count;

    public static int Size => 16;

    public static int TileRows => AdvSimd.IsSupported ? 14 : 6;

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Load(void* source) => new(Vector128.Load((T*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(void* target) => _value.Store((T*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> LoadSingles(float* source) =>
        new(Vector128.WidenLower(Vector64.Load(source).ToVector128Unsafe()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreSingles(float* target)
    {
        var value = _value.AsDouble();
        Vector128.Narrow(value, value).GetLower().Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Create(double value) =>
        typeof(T) == typeof(float)
            ? new(Vector128.Create((float)value).As<float, T>())
            : new(Vector128.Create(value).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> CreateBits(ulong value) =>
        typeof(T) == typeof(float)
            ? new(Vector128.Create((uint)value).As<uint, T>())
            : new(Vector128.Create(value).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator +(Lanes128<T> a, Lanes128<T> b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator -(Lanes128<T> a, Lanes128<T> b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator *(Lanes128<T> a, Lanes128<T> b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator /(Lanes128<T> a, Lanes128<T> b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator -(Lanes128<T> a) => new(-a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> MultiplyAdd(Lanes128<T> a, Lanes128<T> b, Lanes128<T> c) =>
        typeof(T) == typeof(float)
            ? new(Vector128.FusedMultiplyAdd(
                a._value.AsSingle(), b._value.AsSingle(), c._value.AsSingle()).As<float, T>())
            : new(Vector128.FusedMultiplyAdd(
                a._value.AsDouble(), b._value.AsDouble(), c._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes128<T> a, Lanes128<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            _value = Vector128.MultiplyAddEstimate(
                a._value.AsSingle(), b._value.AsSingle(), _value.AsSingle()).As<float, T>();
        }
        else
        {
            _value = Vector128.MultiplyAddEstimate(
                a._value.AsDouble(), b._value.AsDouble(), _value.AsDouble()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(void* element, Lanes128<T> b)
    {
        if (typeof(T) == typeof(float))
        {
            _value = Vector128.MultiplyAddEstimate(
                Vector128.Create(*(float*)element), b._value.AsSingle(), _value.AsSingle()).As<float, T>();
        }
        else
        {
            _value = Vector128.MultiplyAddEstimate(
                Vector128.Create(*(double*)element), b._value.AsDouble(), _value.AsDouble()).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Max(Lanes128<T> a, Lanes128<T> b) => new(Vector128.Max(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Min(Lanes128<T> a, Lanes128<T> b) => new(Vector128.Min(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Clamp(Lanes128<T> a, Lanes128<T> low, Lanes128<T> high) =>
        new(Vector128.MinNative(high._value, Vector128.MaxNative(low._value, a._value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Scale(Lanes128<T> a, Lanes128<T> exponent) => Exponents.ScaleInTwoSteps(a, exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Abs(Lanes128<T> a) => new(Vector128.Abs(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Sqrt(Lanes128<T> a) => new(Vector128.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Floor(Lanes128<T> a) =>
        typeof(T) == typeof(float)
            ? new(Vector128.Floor(a._value.AsSingle()).As<float, T>())
            : new(Vector128.Floor(a._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Round(Lanes128<T> a) =>
        typeof(T) == typeof(float)
            ? new(Vector128.Round(a._value.AsSingle()).As<float, T>())
            : new(Vector128.Round(a._value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Greater(Lanes128<T> a, Lanes128<T> b) => new(Vector128.GreaterThan(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> GreaterOrEqual(Lanes128<T> a, Lanes128<T> b) =>
        new(Vector128.GreaterThanOrEqual(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Equal(Lanes128<T> a, Lanes128<T> b) => new(Vector128.Equals(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Select(Lanes128<T> mask, Lanes128<T> a, Lanes128<T> b) =>
        new(Vector128.ConditionalSelect(mask._value, a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Lanes128<T> mask) => mask._value.AsUInt64() != Vector128<ulong>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator &(Lanes128<T> a, Lanes128<T> b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator |(Lanes128<T> a, Lanes128<T> b) => new(a._value | b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator ^(Lanes128<T> a, Lanes128<T> b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> AddBits(Lanes128<T> a, Lanes128<T> b) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() + b._value.AsUInt32()).As<uint, T>())
            : new((a._value.AsUInt64() + b._value.AsUInt64()).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> SubtractBits(Lanes128<T> a, Lanes128<T> b) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() - b._value.AsUInt32()).As<uint, T>())
            : new((a._value.AsUInt64() - b._value.AsUInt64()).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator <<(Lanes128<T> a, int count) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() << count).As<uint, T>())
            : new((a._value.AsUInt64() << count).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> operator >>>(Lanes128<T> a, int count) =>
        typeof(T) == typeof(float)
            ? new((a._value.AsUInt32() >>> count).As<uint, T>())
            : new((a._value.AsUInt64() >>> count).As<ulong, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> RotateLeft(Lanes128<T> a, int count) => (a << count) | (a >>> (8 * sizeof(T) - count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Across<TOperation>(Lanes128<T> a)
        where TOperation : struct, IBinary
    {
        var value = a._value.AsDouble();
        var swapped = Vector128.Shuffle(value, Vector128.Create(1L, 0L));
        return TOperation.Invoke(a, new Lanes128<T>(swapped.As<double, T>()))._value.AsDouble().ToScalar();
    }

    public static Lanes128<T> LaneNumbers
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float)
            ? new(Vector128<uint>.Indices.As<uint, T>())
            : new(Vector128<ulong>.Indices.As<ulong, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> Broadcast(void* element) => new(Vector128.Create(*(T*)element));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> KeepFrom(Lanes128<T> a, int first) =>
        new(Vector128.ConditionalSelect(
            Vector128.GreaterThanOrEqual(Vector128<T>.Indices, Create(first)._value), a._value, Vector128<T>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> LoadBlocks(void* source, nint* rows) => new(Vector128.Load((T*)source + rows[0]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreBlockSum(void* target) => _value.Store((T*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> InterleaveLow(Lanes128<T> a, Lanes128<T> b) =>
        typeof(T) == typeof(float)
            ? new(UnpackLow(a._value.AsSingle(), b._value.AsSingle()).As<float, T>())
            : JoinLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> InterleaveHigh(Lanes128<T> a, Lanes128<T> b) =>
        typeof(T) == typeof(float)
            ? new(UnpackHigh(a._value.AsSingle(), b._value.AsSingle()).As<float, T>())
            : JoinHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> JoinLow(Lanes128<T> a, Lanes128<T> b) =>
        new(Vector128.Create(a._value.AsDouble().GetLower(), b._value.AsDouble().GetLower()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<T> JoinHigh(Lanes128<T> a, Lanes128<T> b) =>
        new(Vector128.Create(a._value.AsDouble().GetUpper(), b._value.AsDouble().GetUpper()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> UnpackLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> UnpackHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);
}
