using System.Runtime.InteropServices;

namespace Curvature.Cuda;

/// <summary>Contractions as products of matrices.</summary>
internal static class ProductPlans
{
    // The driver takes no more blocks along the second and the third axis of a grid.
    private const int MostBlocks = 65535;
    private const int LeastSplit = 64;
    private const string Module = "products";

    /// <summary>A product as kernels take it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ProductArgument
    {
        public long BatchA;
        public long BatchB;
        public long BatchC;
        public int M;
        public int N;
        public int K;
        public int RowA;
        public int InnerA;
        public int ColumnB;
        public int InnerB;
        public int RowC;
        public int ColumnC;
        public int Batches;
        public int Splits;
        public int Chunk;
        public int Accumulate;
        public int FastK;
        public int FastN;
        public int First;
    }

    /// <summary>The launches of a contraction.</summary>
    /// <param name="contraction">What is computed.</param>
    /// <param name="forced">The tile to take, for tests; else the one that fits.</param>
    public static KernelPlan Contract(ContractionDescription contraction, Tile? forced = null)
    {
        ContractionCheck.Validate(contraction);
        var batch = new ProductAxes(contraction, AxisRole.Batch);
        var left = new ProductAxes(contraction, AxisRole.Left);
        var right = new ProductAxes(contraction, AxisRole.Right);
        var inner = new ProductAxes(contraction, AxisRole.Inner);
        var name = $"contract {batch.Count} of {left.Count}×{right.Count}×{inner.Count} {contraction.DType}";
        var results = batch.Count * left.Count * right.Count;
        if (results == 0 || (inner.Count == 0 && contraction.Accumulate))
        {
            return new KernelPlan(name);
        }

        foreach (var axes in new[] { batch, left, right, inner })
        {
            Check.AtMost(int.MaxValue, axes.Count, nameof(ContractionDescription.Axes));
        }

        var tile = forced ?? Tile.OfProduct(contraction.DType, left.Count, right.Count, batch.Count);
        if (tile.ColumnBlocks(right.Count) > MostBlocks && right.Count > left.Count)
        {
            // Grids are longest along rows.
            return Contract(Transposed(contraction), forced);
        }

        Check.AtMost(MostBlocks, tile.ColumnBlocks(right.Count), nameof(ContractionDescription.Axes));
        var target = AxisWalk.InOrder([.. batch.OfResult, .. left.OfResult, .. right.OfResult]);
        var splits = Splits.For(
            tile.Blocks(left.Count, right.Count) * batch.Count, inner.Count, LeastSplit, tile.Step);
        var isStrided = batch.IsOne && left.IsOne && right.IsOne && inner.IsOne;
        var product = new ProductArgument
        {
            BatchA = batch.One.StrideA,
            BatchB = batch.One.StrideB,
            BatchC = batch.One.StrideC,
            M = (int)left.Count,
            N = (int)right.Count,
            K = (int)inner.Count,
            RowA = left.One.StrideA,
            InnerA = inner.One.StrideA,
            ColumnB = right.One.StrideB,
            InnerB = inner.One.StrideB,
            RowC = left.One.StrideC,
            ColumnC = right.One.StrideC,
            Batches = (int)batch.Count,
            Splits = splits.Count,
            Chunk = splits.Chunk,
            Accumulate = contraction.Accumulate ? 1 : 0,
            FastK = Math.Abs(inner.One.StrideA) == 1 ? 1 : 0,
            FastN = Math.Abs(inner.One.StrideB) == 1 ? 0 : 1,
        };

        var a = contraction.Packed == ContractionSide.A
            ? Packed(contraction.A, [batch, left, inner], axis => axis.StrideA)
            : contraction.A;
        var b = contraction.Packed == ContractionSide.B
            ? Packed(contraction.B, [batch, right, inner], axis => axis.StrideB)
            : contraction.B;
        var c = ArrayArgument.Of(contraction.C, contraction.DType);
        Argument parts = splits.Count > 1 ? new WorkspaceArgument(0) : c;
        Argument[] arguments = isStrided
            ? [At(a), At(b), c, parts]
            : [At(a), At(b), c, parts, new TableArgument(0)];
        var launches = InBatches(batch.Count * splits.Count, (first, count) => KernelPlan.Fixed(
            Module,
            $"{(isStrided ? "" : "table_")}product_{tile.Name}",
            new Grid(tile.RowBlocks(left.Count), (int)tile.ColumnBlocks(right.Count), count, tile.Threads),
            [.. arguments, ValueArgument.Of(product with { First = first })]));
        if (splits.Count > 1)
        {
            launches.Add(AddSplits(
                contraction.DType, c, target, splits, left.Count * right.Count, contraction.Accumulate));
        }

        return new KernelPlan(name, [.. launches])
        {
            Flops = 2.0 * results * inner.Count,
            Workspaces = splits.Count > 1 ? [results * splits.Count * Elements.SizeOf(contraction.DType)] : [],
            Tables = isStrided ? [] : [Places(batch, left, right, inner)],
        };

        ArrayArgument At(Place place) => ArrayArgument.Of(place, contraction.DType);
    }

    /// <summary>Bytes of an operand and all that lies between its elements.</summary>
    public static long PackedBytes(ContractionDescription contraction, ContractionSide side)
    {
        ContractionCheck.Validate(contraction);
        var (least, greatest) = Reach(contraction, side);
        return (greatest - least + 1) * Elements.SizeOf(contraction.DType);
    }

    /// <summary>Copies an operand as it lies, and all between its elements. Products of a card read operands wherever
    /// they are, so that there is nothing to rearrange.</summary>
    public static KernelPlan Pack(ContractionDescription contraction, ContractionSide side, int targetSlot)
    {
        ContractionCheck.Validate(contraction);
        Check.Defined(side, nameof(side));
        Check.NotNegative(targetSlot, nameof(targetSlot));
        var (least, greatest) = Reach(contraction, side);
        var place = side == ContractionSide.A ? contraction.A : contraction.B;
        var length = checked((int)(greatest - least + 1));
        return CopyPlans.Make(new CopyDescription(
            contraction.DType,
            contraction.DType,
            [length],
            new Operand(place with { Offset = place.Offset + least }, [1]),
            new Operand(targetSlot, 0, [1])));
    }

    /// <summary>Launches of at most as many blocks along the third axis of a grid as the driver takes.</summary>
    public static List<Launch> InBatches(long count, Func<int, int, Launch> launch)
    {
        var launches = new List<Launch>();
        for (var first = 0L; first < count; first += MostBlocks)
        {
            launches.Add(launch((int)first, (int)Math.Min(MostBlocks, count - first)));
        }

        return launches;
    }

    /// <summary>Puts the parts of split sums together.</summary>
    public static Launch AddSplits(
        DType dtype, Argument target, AxisWalk axes, Splits splits, long perBatch, bool accumulate) => KernelPlan.Fixed(
        Module,
        $"add_splits_{KernelPlan.Suffix(dtype)}",
        Grid.ForElements(axes.Count),
        new WorkspaceArgument(0),
        target,
        AxesArgument.Of(axes, nameof(axes)),
        ValueArgument.Of(axes.Count),
        ValueArgument.Of(perBatch),
        ValueArgument.Of(splits.Count),
        ValueArgument.Of(accumulate ? 1 : 0));

    private static (long Least, long Greatest) Reach(ContractionDescription contraction, ContractionSide side)
    {
        Func<ContractionAxis, int> stride = side == ContractionSide.A ? axis => axis.StrideA : axis => axis.StrideB;
        var least = 0L;
        var greatest = 0L;
        foreach (var role in Enum.GetValues<AxisRole>())
        {
            var axes = new ProductAxes(contraction, role);
            var isCarried = role != (side == ContractionSide.A ? AxisRole.Right : AxisRole.Left);
            if (isCarried)
            {
                var reach = axes.Count == 0 ? default : axes.Reach(stride);
                least += reach.Least;
                greatest += reach.Greatest;
            }
        }

        return (least, greatest);
    }

    /// <summary>Where a packed operand is: the element that lies lowest is first.</summary>
    private static Place Packed(Place place, ProductAxes[] axes, Func<ContractionAxis, int> stride) =>
        place with { Offset = -axes.Sum(axis => axis.Count == 0 ? 0 : axis.Reach(stride).Least) };

    /// <summary>The same with operands in each other's place: Cᵀ = BᵀAᵀ.</summary>
    private static ContractionDescription Transposed(ContractionDescription contraction) => contraction with
    {
        Axes = [.. contraction.Axes.Select(axis => axis with
        {
            Role = axis.Role switch
            {
                AxisRole.Left => AxisRole.Right,
                AxisRole.Right => AxisRole.Left,
                var role => role,
            },
            StrideA = axis.StrideB,
            StrideB = axis.StrideA,
        })],
        A = contraction.B,
        B = contraction.A,
        Packed = contraction.Packed switch
        {
            ContractionSide.A => ContractionSide.B,
            ContractionSide.B => ContractionSide.A,
            _ => null,
        },
    };

    /// <summary>The table of places that products.cl describes.</summary>
    private static byte[] Places(ProductAxes batch, ProductAxes left, ProductAxes right, ProductAxes inner)
    {
        int[] places =
        [
            .. left.Places(axis => axis.StrideA),
            .. left.Places(axis => axis.StrideC),
            .. right.Places(axis => axis.StrideB),
            .. right.Places(axis => axis.StrideC),
            .. inner.Places(axis => axis.StrideA),
            .. inner.Places(axis => axis.StrideB),
            .. batch.Places(axis => axis.StrideA),
            .. batch.Places(axis => axis.StrideB),
            .. batch.Places(axis => axis.StrideC),
        ];
        return MemoryMarshal.AsBytes(places.AsSpan()).ToArray();
    }
}
