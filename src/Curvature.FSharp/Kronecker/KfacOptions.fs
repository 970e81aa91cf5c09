namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// What K-FAC makes of weights that act at several positions of a sample, such as the pixels of an image or the places
/// of a sequence (Eschenhagen et al. 2023).
type WeightSharing =
    /// Positions count as samples: exact where each position has an output and a loss of its own, for a linear network
    /// and squared loss.
    | Expand = 0
    /// Inputs are averaged over positions and gradients summed: exact where the outputs are means over positions, for a
    /// linear network and squared loss.
    | Reduce = 1

/// Which gradients the factors of K-FAC are made of. Made by the functions of the module KfacKind.
[<RequireQualifiedAccess; NoEquality; NoComparison; StructuredFormatDisplay("{Text}")>]
type KfacKind =
    internal
    | GaussNewton
    | Fisher of FisherKind
    | InputsOnly

    override kind.ToString() =
        match kind with
        | GaussNewton -> "Gauss-Newton"
        | Fisher fisher -> string fisher
        | InputsOnly -> "inputs only"

    member internal this.Text = this.ToString()

/// What K-FAC approximates, and how. Immutable; `Default` and the methods With… make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type KfacOptions private (kind: KfacKind, sharing: WeightSharing, correction: bool, largestExact: int) =
    /// The Gauss–Newton matrix of the risk's criterion, positions as samples, no correction of eigenvalues, exact
    /// blocks of up to 128 parameters.
    static member Default = KfacOptions(KfacKind.GaussNewton, WeightSharing.Expand, false, 128)

    /// Which gradients the factors are made of.
    member _.Kind = kind

    /// What is made of weights that act at several positions.
    member _.Sharing = sharing

    /// Whether the eigenvalues of each block are replaced by the second moments of the samples' gradients along its
    /// eigenvectors, which is EK-FAC (George et al. 2018).
    member _.CorrectsEigenvalues = correction

    /// Parameters that are no weights, such as the scales of normalisation, have their exact block where there are no
    /// more of them than this, and else its diagonal.
    member _.LargestExactBlock = largestExact

    /// The same options for other gradients.
    member _.WithKind(value: KfacKind) =
        System.ArgumentNullException.ThrowIfNull(value, nameof value)
        KfacOptions(value, sharing, correction, largestExact)

    /// The same options with another way to treat positions. Raises ArgumentRangeException for one that is neither
    /// Expand nor Reduce.
    member _.WithSharing(value: WeightSharing) =
        if value <> WeightSharing.Expand && value <> WeightSharing.Reduce then
            Fail.range $"WithSharing: positions are treated by Expand or Reduce, and this is {int value}"

        KfacOptions(kind, value, correction, largestExact)

    /// The same options with or without corrected eigenvalues.
    member _.WithCorrectedEigenvalues(value: bool) = KfacOptions(kind, sharing, value, largestExact)

    /// The same options with another size of exact blocks; 0 for diagonals alone. Raises ArgumentRangeException for a
    /// negative number.
    member _.WithLargestExactBlock(value: int) =
        if value < 0 then
            Fail.range $"WithLargestExactBlock: a size of at least 0 is needed, and it is {value}"

        KfacOptions(kind, sharing, correction, value)

    override _.ToString() =
        let name = if correction then "EK-FAC" else "K-FAC"
        let sharing = if sharing = WeightSharing.Reduce then "reduce" else "expand"
        $"{name} of {kind}, {sharing}, exact blocks of up to {largestExact} parameters"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Which gradients the factors of K-FAC are made of.
[<RequireQualifiedAccess>]
module KfacKind =

    /// Those whose outer products make up the Gauss–Newton matrix of the risk, with its criterion and its reduction:
    /// the columns of a square root of the criterion's Hessian in the outputs of each sample, pulled back. One
    /// pull-back for each output of a sample.
    let gaussNewton: KfacKind = KfacKind.GaussNewton

    /// Those of a Fisher matrix, as `Fisher.ofRisk` has it: exact, Monte Carlo or empirical. The exact kind takes one
    /// pull-back for each output of a sample, Monte Carlo one for each draw, and the empirical kind one.
    let fisher (kind: FisherKind) : KfacKind = KfacKind.Fisher kind

    /// None: G = I, and A is the second moment of the inputs (FOOF, Benzing 2022). No pull-back is needed.
    let inputsOnly: KfacKind = KfacKind.InputsOnly
