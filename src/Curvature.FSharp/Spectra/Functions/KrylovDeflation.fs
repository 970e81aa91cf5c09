namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What a block Krylov space knows: its first vectors Q, tr Qᵀf(A)Q, and what the depth leaves open of it.
[<NoEquality; NoComparison>]
type internal DeflatedSpace = { Basis: Panels; Trace: float; Open: float; Products: int }

/// The parts of a Krylov-aware trace: a block Krylov space, and quadrature for random vectors outside of it.
module internal KrylovDeflation =

    let private name = "KrylovAwareTrace"

    /// tr of the leading `kept` rows and columns of f(T), and what rounding may change of it.
    let private traceOf (f: SpectralFunction) (a: LinearOperator) rounding (kept: int) (t: Matrix<float>) =
        let ritz = SmallEigen.of' (t.ToArray())
        let nodes = ritz.Values |> Array.map (LanczosFunction.admit f a rounding)
        let values = nodes |> Array.map (LanczosFunction.finite f)
        let weight i = Seq.sum (seq { for row in 0 .. kept - 1 -> ritz.Vectors[row, i] * ritz.Vectors[row, i] })
        let rounded = sqrt (float kept) * LanczosFunction.roundingError f rounding nodes
        struct (Seq.sum (Seq.mapi (fun i value -> weight i * value) values), rounded)

    /// Blocks V₁, V₂, … of the Krylov space of a random block, of which all are multiplied and the first `steps` kept.
    let deflate (f: SpectralFunction) (a: LinearOperator) (key: Key) width steps : DeflatedSpace =
        let space, kept, images = OrthonormalBasis(a.Columns, a.DType), Panels a.Columns, Panels a.Columns
        let omega = Probe.drawOn a.Device Probe.gaussian key a.Columns (0, width) a.DType

        // How many vectors were multiplied after each block.
        let rec grow (block: Tensor) (sizes: int list) =
            let depth = sizes.Length
            if depth < steps then kept.Add block
            let product = a.Multiply(block, (fun row -> $"vector {row} of block {depth} of {name}"))
            images.Add product
            let added = space.Extend product
            let sizes = images.Count :: sizes

            if added.Kept.IsEmpty || depth + 1 = 2 * steps then
                sizes
            else
                grow added.Vectors sizes

        let sizes = grow (space.Extend omega).Vectors [] |> List.rev
        let size = images.Count
        let projected = (Rows.productsOf space.Panels images).SubMatrix(0, size, 0, size)
        SymmetryCheck.requireOf a.Name a.DType 0.0 projected (fun () -> ProductRounding.ofRandom a)
        let t = SmallMatrices.symmetricPart projected
        let rounding = 10.0 * SmallMatrices.epsilon a.DType * t.FrobeniusNorm()
        let ofLeading size = traceOf f a rounding kept.Count (t.SubMatrix(0, size, 0, size))
        let struct (trace, rounded) = ofLeading size
        let isInvariant = (space.Rank = size)

        {
            Basis = kept
            Trace = trace
            // What a quarter of the depth changes.
            Open =
                if isInvariant then
                    rounded
                else
                    let struct (fewer, _) = ofLeading sizes[3 * sizes.Length / 4 - 1]
                    rounded + abs (trace - fewer)
            Products = size
        }

    /// Rules of quadrature for the normal vectors from `first` on, less their parts in a basis, as long as they are on
    /// average there, side by side.
    let rules f (a: LinearOperator) key (basis: Panels) steps (first, count) : SpectralRule[] =
        let mass = float (a.Columns - basis.Count)
        let z = Probe.drawOn a.Device Probe.gaussian key a.Columns (first, count) a.DType
        let outside = z |> Rows.without basis |> Rows.without basis

        let spaces =
            Array.init (Rows.count outside) (fun i -> Krylov.from (Tensor.item 0 i outside) (min steps a.Columns) a)

        let label row = $"a Lanczos vector of probe {first + row} of {name}"
        Krylov.advance a label steps spaces (fun () -> true) |> ignore

        for space in spaces do
            space.CheckSymmetry()

            for x in space.Ritz.Values do
                LanczosFunction.admit f a space.Rounding x |> LanczosFunction.finite f |> ignore

        spaces |> Array.map (fun space -> StochasticLanczos.rule space mass)
