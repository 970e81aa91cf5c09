using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>A number as a type, so that the JIT compiles a method anew for each value.</summary>
internal interface IExtent
{
    static abstract int Value { get; }
}

/// <summary>The extents that micro-tiles have.</summary>
internal static class Extent
{
    internal readonly struct Of1 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 1;
        }
    }

    internal readonly struct Of2 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 2;
        }
    }

    internal readonly struct Of3 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 3;
        }
    }

    internal readonly struct Of4 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 4;
        }
    }

    internal readonly struct Of5 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 5;
        }
    }

    internal readonly struct Of6 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 6;
        }
    }

    internal readonly struct Of7 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 7;
        }
    }

    internal readonly struct Of8 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 8;
        }
    }

    internal readonly struct Of9 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 9;
        }
    }

    internal readonly struct Of10 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 10;
        }
    }

    internal readonly struct Of11 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 11;
        }
    }

    internal readonly struct Of12 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 12;
        }
    }

    internal readonly struct Of13 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 13;
        }
    }

    internal readonly struct Of14 : IExtent
    {
        public static int Value
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 14;
        }
    }
}
