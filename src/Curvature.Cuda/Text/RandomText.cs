namespace Curvature.Cuda;

/// <summary>The kernel that writes random numbers as text: the block cipher of <see cref="Threefry"/>, and the
/// library's own functions from bits to numbers. Its parameters are the two words of the key, the first counter, the
/// number of elements and the address of the target.</summary>
internal static class RandomText
{
    /// <summary>The kernel's name.</summary>
    public const string Name = "random";

    private static readonly int[] Rotations = [13, 15, 26, 6, 17, 29, 16, 24];

    /// <summary>The text for elements and a distribution.</summary>
    public static string Of(DType dtype, Distribution distribution) =>
        dtype == DType.Float64
            ? Write(distribution, Words64, Distribute<Double64>)
            : Write(distribution, Words32, Distribute<Single32>);

    private static string Write<P>(
        Distribution distribution,
        Func<PtxLanes<Single32>, PtxLanes<Single32>, PtxLanes<P>> join,
        Func<Distribution, PtxLanes<P>, PtxLanes<P>> distribute)
        where P : struct, IPrecision => PtxWriter.Write(Name, writer =>
        {
            var key0 = writer.Parameter(Register.Word);
            var key1 = writer.Parameter(Register.Word);
            var counter = writer.Parameter(Register.Long);
            var count = writer.Parameter(Register.Word);
            var target = writer.Parameter(Register.Long);
            var end = writer.Label();
            var element = ThreadText.Number();
            writer.Line($"@{writer.Test("ge.u32", element, count)} bra {end}");
            var offset = writer.Do(Register.Long, "cvt.u64.u32", element);
            var position = writer.Do(Register.Long, "add.s64", counter, offset);
            var low = writer.Do(Register.Word, "cvt.u32.u64", position);
            var high = writer.Do(Register.Word, "cvt.u32.u64", writer.Do(Register.Long, "shr.u64", position, "32"));
            var (x0, x1) = Block(new(key0), new(key1), new(high), new(low));
            var value = distribute(distribution, join(x0, x1));
            var address = writer.Do(Register.Long, "mad.wide.u32", element, $"{PtxLanes<P>.Size}", target);
            writer.Line($"st.global.{PtxLanes<P>.Number} [{address}], {value.Name}");
            writer.Place(end);
        });

    private static PtxLanes<Single32> Words32(PtxLanes<Single32> x0, PtxLanes<Single32> x1) => x0 ^ x1;

    private static PtxLanes<Double64> Words64(PtxLanes<Single32> x0, PtxLanes<Single32> x1) =>
        new(PtxWriter.Current.Do(Register.Long, "mov.b64", $"{{{x1.Name}, {x0.Name}}}"));

    private static PtxLanes<P> Distribute<P>(Distribution distribution, PtxLanes<P> bits)
        where P : struct, IPrecision => distribution switch
        {
            Distribution.Uniform => RandomOperations.Uniform.Invoke(bits),
            Distribution.Normal => RandomOperations.Normal.Invoke(bits),
            Distribution.Rademacher => RandomOperations.Rademacher.Invoke(bits),
            _ => bits,
        };

    /// <summary>Twenty rounds, as <see cref="Threefry.Block"/> does them.</summary>
    private static (PtxLanes<Single32> X0, PtxLanes<Single32> X1) Block(
        PtxLanes<Single32> key0, PtxLanes<Single32> key1, PtxLanes<Single32> counter0, PtxLanes<Single32> counter1)
    {
        var parity = PtxLanes<Single32>.CreateBits(Threefry.Parity);
        PtxLanes<Single32>[] schedule = [key0, key1, parity ^ key0 ^ key1];
        var x0 = PtxLanes<Single32>.AddBits(counter0, key0);
        var x1 = PtxLanes<Single32>.AddBits(counter1, key1);
        for (var group = 0; group < 5; group++)
        {
            for (var round = 0; round < 4; round++)
            {
                x0 = PtxLanes<Single32>.AddBits(x0, x1);
                x1 = PtxLanes<Single32>.RotateLeft(x1, Rotations[(group % 2 * 4) + round]) ^ x0;
            }

            x0 = PtxLanes<Single32>.AddBits(x0, schedule[(group + 1) % 3]);
            x1 = PtxLanes<Single32>.AddBits(x1, schedule[(group + 2) % 3]);
            x1 = PtxLanes<Single32>.AddBits(x1, PtxLanes<Single32>.CreateBits((uint)group + 1));
        }

        return (x0, x1);
    }
}
