namespace Curvature.Kernels;

/// <summary>A number as a type, so that the JIT compiles a method anew for each value.</summary>
internal interface IExtent
{
    static abstract int Value { get; }
}

/// <summary>The extents that micro-tiles have.</summary>
internal static class Extent
{
    internal readonly struct Of1 : IExtent { public static int Value => 1; }
    internal readonly struct Of2 : IExtent { public static int Value => 2; }
    internal readonly struct Of3 : IExtent { public static int Value => 3; }
    internal readonly struct Of4 : IExtent { public static int Value => 4; }
    internal readonly struct Of5 : IExtent { public static int Value => 5; }
    internal readonly struct Of6 : IExtent { public static int Value => 6; }
    internal readonly struct Of7 : IExtent { public static int Value => 7; }
    internal readonly struct Of8 : IExtent { public static int Value => 8; }
    internal readonly struct Of9 : IExtent { public static int Value => 9; }
    internal readonly struct Of10 : IExtent { public static int Value => 10; }
    internal readonly struct Of11 : IExtent { public static int Value => 11; }
    internal readonly struct Of12 : IExtent { public static int Value => 12; }
    internal readonly struct Of13 : IExtent { public static int Value => 13; }
    internal readonly struct Of14 : IExtent { public static int Value => 14; }
}
