namespace Curvature.Cuda;

/// <summary>The axes of one role in a contraction, row-major among themselves; neighbours that all operands walk as one
/// are merged.</summary>
internal sealed class ProductAxes
{
    private readonly List<ContractionAxis> _axes = [];

    /// <summary>The axes of a role.</summary>
    public ProductAxes(ContractionDescription contraction, AxisRole role)
    {
        foreach (var axis in contraction.Axes.Where(axis => axis.Role == role && axis.Size != 1))
        {
            if (_axes.Count > 0 && Follows(_axes[^1], axis))
            {
                _axes[^1] = axis with { Size = _axes[^1].Size * axis.Size };
            }
            else
            {
                _axes.Add(axis);
            }
        }

        Count = _axes.Aggregate(1L, (count, axis) => count * axis.Size);
    }

    /// <summary>The number of positions.</summary>
    public long Count { get; }

    /// <summary>Whether one stride leads from each position to the next.</summary>
    public bool IsOne => _axes.Count <= 1;

    /// <summary>The strides of that one axis.</summary>
    public ContractionAxis One => _axes.Count == 0 ? default : _axes[0];

    /// <summary>The axes, for walks over C.</summary>
    public IEnumerable<WalkAxis> OfResult => _axes.Select(axis => new WalkAxis(axis.Size, 0, axis.StrideC));

    /// <summary>Where each position is in an operand.</summary>
    public int[] Places(Func<ContractionAxis, int> stride)
    {
        var places = new int[Count];
        for (var i = 0; i < places.Length; i++)
        {
            long rest = i;
            for (var axis = _axes.Count - 1; axis >= 0; axis--)
            {
                places[i] = checked(places[i] + ((int)(rest % _axes[axis].Size) * stride(_axes[axis])));
                rest /= _axes[axis].Size;
            }
        }

        return places;
    }

    /// <summary>The least and the greatest place in an operand.</summary>
    public (long Least, long Greatest) Reach(Func<ContractionAxis, int> stride) =>
        (_axes.Sum(axis => Math.Min(0, stride(axis) * (axis.Size - 1L))),
            _axes.Sum(axis => Math.Max(0, stride(axis) * (axis.Size - 1L))));

    private static bool Follows(ContractionAxis outer, ContractionAxis inner) =>
        outer.StrideA == (long)inner.StrideA * inner.Size
        && outer.StrideB == (long)inner.StrideB * inner.Size
        && outer.StrideC == (long)inner.StrideC * inner.Size
        && (long)outer.Size * inner.Size <= int.MaxValue;
}
