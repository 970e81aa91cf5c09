namespace Curvature

open System
open System.Collections.Generic
open System.Diagnostics
open Curvature.FSharp

/// How wrong a block of an approximation is.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type KroneckerBlockError internal (block: KroneckerBlock, relative: Estimate<float>, squaredNorm: Estimate<float>) =
    /// The block of the approximation.
    member _.Block = block

    /// ‖G − K‖_F/‖G‖_F of the block.
    member _.RelativeError = relative

    /// ‖G‖²_F of the block of the matrix that is approximated.
    member _.SquaredNorm = squaredNorm

    override _.ToString() = $"{block.Name}: {relative}"

    member internal this.Text = this.ToString()

/// How wrong a block-diagonal approximation K of a matrix G is, in whole and block by block, from products.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type KroneckerError
    internal
    (relative: Estimate<float>, squaredNorm: Estimate<float>, blocks: KroneckerBlockError[], outside: Estimate<float>) =
    /// ‖G − K‖_F/‖G‖_F.
    member _.RelativeError = relative

    /// ‖G‖²_F.
    member _.SquaredNorm = squaredNorm

    /// The same for each block.
    member _.Blocks: IReadOnlyList<KroneckerBlockError> = blocks

    /// The share of ‖G‖²_F outside the blocks on the diagonal, which no approximation by such blocks can have: the
    /// square of its relative error is no less.
    member _.OutsideShare = outside

    override _.ToString() =
        String.Join(
            "\n",
            [
                $"relative error {relative}"
                $"share outside the blocks {outside}"
                Describe.lines (blocks |> Seq.map string)
            ]
        )

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// How wrong K-FAC is: ‖G − K‖_F/‖G‖_F with error bars, for the Gauss–Newton matrix, a Fisher matrix, the Hessian or
/// any other symmetric operator G.
[<RequireQualifiedAccess>]
module KroneckerError =

    let private name = "KroneckerError"

    let private squaredLengths (t: Tensor) : Tensor =
        t |> Tensor.convert DType.Float64 |> Tensor.square |> Tensor.sumAxes [ 1 ]

    /// √(E‖(G − K)z‖²/E‖Gz‖²) and E‖Gz‖², from the same products. The error of the ratio of means is that of its
    /// residuals (the delta method).
    let private accumulator (k: LinearOperator) (g: LinearOperator) : Accumulator<Estimate<float> * Estimate<float>> =
        let ratios = RunningRatios(1, g.Device)
        let differences, squares = FormMoments(), FormMoments()

        /// The ratio of squares and its standard error.
        let ratio () = struct ((ratios.Value.ToArray())[0], (ratios.StandardError.ToArray())[0])

        { new Accumulator<_>() with
            member _.Add block =
                let ofG = squaredLengths block.Product
                let ofDifference = squaredLengths (block.Product - k.Apply block.Vectors)
                ratios.AddRows(Tensor.unsqueeze 1 ofDifference, Tensor.unsqueeze 1 ofG)
                differences.Add(block.Vectors, ofDifference.ToArray())
                squares.Add(block.Vectors, ofG.ToArray())

            member _.Summaries =
                let struct (square, error) = ratio ()
                let root = sqrt square
                let ofRoot = if root > 0.0 then error / (2.0 * root) else sqrt error
                [| struct (Summaries.ofMean ratios.Count root ofRoot, true) |]

            member _.Finish ledger =
                let struct (square, error) = ratio ()

                let error, ofSquares =
                    if ledger.IsExact then
                        Rounding.ofProduct g.DType square, Rounding.ofProduct g.DType squares.Mean
                    else
                        error, squares.StandardError

                Estimates.scalarRoot differences.Law square error ledger,
                Estimates.sampled squares.Law squares.Mean ofSquares ledger

            member _.State = [ ratios; differences; squares ]
        }

    let private measurement (k: LinearOperator) : Measurement<Estimate<float> * Estimate<float>> =
        Measurement(true, accumulator k)

    /// Rows and columns of an operator at some positions.
    let private restrict (positions: int[]) (g: LinearOperator) : LinearOperator =
        let index = Tensor.ofIndices [ positions.Length ] positions |> Tensor.toDevice g.Device

        let matmat (block: Tensor) =
            Tensor.scatterAdd 1 g.Columns index block |> g.Definition.Product.Matmat |> Tensor.take 1 index

        LinearOperator.Of
            { OperatorParts.define
                  $"block of {g.Name}"
                  g.DType
                  positions.Length
                  positions.Length
                  (Products.ofMatmat matmat) with
                Device = g.Device
                Properties = g.Properties
            }

    let private check (k: KroneckerOperator) (g: LinearOperator) =
        OperatorParts.requireSquare name g

        if g.Columns <> k.Size || g.DType <> k.DType then
            Fail.shape (
                $"{name}: {k.Name} is {k.DType}[{k.Size}; {k.Size}], and {g.Name} {g.DType}[{g.Rows}; {g.Columns}]"
            )

    /// 1 − Σ‖G_bb‖²/‖G‖². The parts are independent.
    let private outside (total: Estimate<float>) (blocks: Estimate<float> list) : Estimate<float> =
        let inside = blocks |> List.sumBy _.Value

        if total.Value = 0.0 then
            Estimates.scalar 0.0 total.StandardError total.Ledger
        else
            let error =
                inside / total.Value * total.StandardError :: (blocks |> List.map _.StandardError)
                |> List.map (fun error -> error / total.Value)
                |> List.toArray
                |> Rounding.length

            Estimates.scalar (1.0 - inside / total.Value) error total.Ledger

    /// The error of an approximation K of a symmetric operator G in whole: ‖G − K‖_F/‖G‖_F, from signs. One product
    /// with G for each. Raises ShapeException where the two do not fit together, and otherwise what `Estimate.run`
    /// raises.
    let total (stop: StoppingRule) (key: Key) (k: KroneckerOperator) (g: LinearOperator) : Estimate<float> =
        check k g
        Hutchinson.estimate Probe.rademacher (measurement k.Operator) stop key g |> fst

    /// The error of an approximation K of a symmetric operator G: ‖G − K‖_F/‖G‖_F in whole and block by block, and the
    /// share of ‖G‖²_F outside the blocks, all from signs. The rule holds for the whole and for each block, so that
    /// with b blocks it costs up to b + 1 times its products. Random vectors of block number i come from the fold of
    /// the key with i, those of the whole from the fold with the number of blocks. Errors are those of `total`.
    let estimate (stop: StoppingRule) (key: Key) (k: KroneckerOperator) (g: LinearOperator) : KroneckerError =
        check k g
        let run number k g = Hutchinson.estimate Probe.rademacher (measurement k) stop (key.FoldIn(uint32 number)) g

        let blocks =
            [|
                for i in 0 .. k.Blocks.Count - 1 ->
                    let block = k.Blocks[i]
                    let relative, squared = run i block.Operator (restrict block.Place.Positions g)
                    KroneckerBlockError(block, relative, squared)
            |]

        let relative, squared = run blocks.Length k.Operator g
        let outside = blocks |> Seq.map _.SquaredNorm |> List.ofSeq |> outside squared
        KroneckerError(relative, squared, blocks, outside)
