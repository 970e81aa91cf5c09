namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// What a batch adds to the factors of the uses of parameters. Everything is a mean over the samples of the batch, in
/// Float64 on the CPU.
module internal UseSums =

    let private wide (t: Tensor) = t |> Tensor.convert DType.Float64 |> Tensor.toDevice Kernels.CpuDevice.Shared
    let private length axis (t: Tensor) = t.Shape[axis]

    /// Axes 0 … count − 1 as one.
    let private merge count (t: Tensor) = Tensor.reshape (-1 :: List.skip count (List.ofArray t.Shape)) t

    // ---- factors

    /// A: the second moments of inputs, [groups; inputs; inputs], or of the rows of a table their shares, [rows].
    /// Expand: the mean over samples and positions of aaᵀ (eq. 4 of docs/kfac.md); reduce: the mean over samples
    /// of āāᵀ, ā the mean over positions (eq. 5).
    let inputs (sharing: WeightSharing) (kind: UseKind) : Tensor =
        match kind with
        | UseKind.Weights weights ->
            let a = wide (weights.Inputs())
            let rows = if sharing = WeightSharing.Reduce then Tensor.meanAxes [ 1 ] a else merge 2 a
            Tensor.einsum "rgi,rgj->gij" rows rows / float (length 0 rows)
        | UseKind.Rows(places, index) ->
            let index = Tensor.flatten (Tensor.toDevice Kernels.CpuDevice.Shared index)
            let ones = Tensor.ones DType.Float64 [ index.Size ]
            Tensor.scatterAdd 0 (length 0 places) index ones / float index.Size
        | UseKind.Elements _ -> Tensor.zeros DType.Float64 [ 0 ]

    /// G: the sum over positions, and the mean over samples, of the second moments of the gradients with respect to the
    /// outputs, [groups; outputs; outputs]. Expand: of each position (eq. 4); reduce: of their sum (eq. 5).
    let gradients (sharing: WeightSharing) (parameterUse: ParameterUse) (cotangents: Tensor) : Tensor =
        let g = wide (parameterUse.Order cotangents)
        let samples = float (length 1 g)

        let rows =
            match parameterUse.Kind with
            | UseKind.Weights _ when sharing = WeightSharing.Reduce -> merge 2 (Tensor.sumAxes [ 2 ] g)
            | _ -> merge 3 g

        Tensor.einsum "rgo,rgq->goq" rows rows / samples

    // ---- gradients of samples

    /// Inputs of weights [samples; positions; groups; inputs] and gradients of their outputs [k; samples; positions;
    /// groups; outputs] in bases. A missing basis is that of the unit vectors.
    let private rotate formula (basis: Tensor voption) (t: Tensor) =
        match basis with
        | ValueSome u -> Tensor.einsum formula t u
        | ValueNone -> t

    /// The gradient of each sample by the weights in bases of inputs and outputs, as a function of the number of the
    /// sample: [k; groups; inputs; outputs].
    let private inBases
        (inputBasis: Tensor voption)
        (outputBasis: Tensor voption)
        (parameterUse: ParameterUse)
        cotangents
        =
        let g = wide (parameterUse.Order cotangents) |> rotate "knpgo,goq->knpgq" outputBasis

        match parameterUse.Kind with
        | UseKind.Weights weights ->
            let a = wide (weights.Inputs()) |> rotate "npgi,gij->npgj" inputBasis
            fun n -> Tensor.einsum "pgi,kpgo->kgio" (Tensor.item 0 n a) (Tensor.item 1 n g)
        | UseKind.Rows(places, index) ->
            let index = Tensor.toDevice Kernels.CpuDevice.Shared index

            fun n ->
                // [k; positions; outputs] added up in rows
                Tensor.item 1 n g
                |> Tensor.squeeze 2
                |> Tensor.scatterAdd 1 (length 0 places) (Tensor.item 0 n index)
                |> Tensor.unsqueeze 1
                |> rotate "kgio,gij->kgjo" inputBasis
        | UseKind.Elements _ -> invalidOp "elements have no basis of inputs"

    /// The same sum where each sample has one position: a product of squares.
    let private ofSinglePosition inputBasis outputBasis (weights: WeightUse) (g: Tensor) : Tensor =
        let a = wide (weights.Inputs()) |> rotate "npgi,gij->npgj" inputBasis
        let g = g |> rotate "knpgo,goq->knpgq" outputBasis
        Tensor.einsum "npgi,npgo->gio" (Tensor.square a) (Tensor.sumAxes [ 0 ] (Tensor.square g))

    /// The mean over samples of the squared gradients in the basis of eigenvectors, [groups; inputs; outputs]: the
    /// corrected eigenvalues (George et al. 2018, section 3; eq. 7 of docs/kfac.md). Several uses of the same weights,
    /// some of them with inputs and outputs exchanged, add up to one gradient. Where a sample has one position, a
    /// product of squares is enough.
    let corrected
        (inputBasis: Tensor voption)
        (outputBasis: Tensor voption)
        (uses: (ParameterUse * bool * Tensor) list)
        : Tensor =
        let ofUse (parameterUse: ParameterUse, isExchanged: bool, cotangents: Tensor) =
            if isExchanged then
                let gradient = inBases outputBasis inputBasis parameterUse cotangents
                fun n -> Tensor.permute [ 0; 1; 3; 2 ] (gradient n)
            else
                inBases inputBasis outputBasis parameterUse cotangents

        let (first, _, cotangents) = uses.Head
        let g = wide (first.Order cotangents)
        let samples = length 1 g

        match first.Kind, uses with
        | UseKind.Weights weights, [ _ ] when length 2 g = 1 ->
            ofSinglePosition inputBasis outputBasis weights g / float samples
        | _ ->
            let gradients = uses |> List.map ofUse
            let sum = TreeSum()

            for n in 0 .. samples - 1 do
                let gradient = gradients |> List.map (fun f -> f n) |> List.reduce (+)
                sum.Add(Tensor.sumAxes [ 0 ] (Tensor.square gradient))

            sum.Total.Value / float samples

    // ---- parameters that are no weights

    /// Where elements go: the number of their parameter in a block, and the last number for elements of none. The
    /// numbers of a row follow those of the row before.
    let private targets (numbers: Dictionary<int, int>) (places: Tensor) : Tensor =
        let width = length 1 places
        let stride = numbers.Count + 1

        ParameterViews.positions places
        |> Array.mapi (fun i position ->
            let number = if position < 0 then numbers.Count else numbers[position]
            i / width * stride + number)
        |> fun index -> Tensor.ofIndices [ index.Length ] index

    /// Values [k; samples; elements] added up by parameter, [k; samples; parameters].
    let private scattered (numbers: Dictionary<int, int>) (places: Tensor) (values: Tensor) : Tensor =
        let k, samples, stride = length 0 values, length 0 places, numbers.Count + 1
        let first = Tensor.slice 0 0 1 places

        if (Tensor.sum (Tensor.abs (places - first))).ToScalar() = 0.0 then
            Tensor.scatterAdd 2 stride (targets numbers first) values
        else
            Tensor.scatterAdd 1 (samples * stride) (targets numbers places) (Tensor.reshape [ k; -1 ] values)
            |> Tensor.reshape [ k; samples; stride ]
        |> Tensor.slice 2 0 numbers.Count

    /// The mean over samples of ggᵀ for their gradients g [k; samples; parameters], or of its diagonal.
    let secondMoments (isDiagonal: bool) (g: Tensor) : Tensor =
        let samples = float (length 1 g)

        if isDiagonal then
            Tensor.sumAxes [ 0; 1 ] (Tensor.square g) / samples
        else
            let rows = merge 2 g
            Tensor.einsum "ri,rj->ij" rows rows / samples

    /// The gradients of the samples by parameters that are used as they are, [k; samples; parameters].
    let ofElements (numbers: Dictionary<int, int>) (uses: (ParameterUse * Tensor) list) : Tensor =
        uses
        |> List.map (fun (parameterUse, cotangents) ->
            match parameterUse.Kind with
            | UseKind.Elements(places, coefficient) ->
                let values = wide (parameterUse.Order cotangents) * wide coefficient
                scattered numbers places values
            | _ -> invalidOp "not a use of elements")
        |> List.reduce (+)

    /// The same block where gradients do not count: the mean over samples and positions of the squared coefficients.
    let squaredCoefficients (numbers: Dictionary<int, int>) (uses: ParameterUse list) : Tensor =
        let sums (f: Tensor -> Tensor) =
            uses
            |> List.map (fun parameterUse ->
                match parameterUse.Kind with
                | UseKind.Elements(places, coefficient) ->
                    let values = f (wide coefficient)
                    scattered numbers places (Tensor.unsqueeze 0 values)
                | _ -> invalidOp "not a use of elements")
            |> List.reduce (+)
            |> Tensor.sumAxes [ 0; 1 ]

        sums Tensor.square / sums Tensor.onesLike

    /// The gradients of the samples by the parameters at some positions, one sample after the other: a pull-back for
    /// each sample and column, [k; samples; parameters].
    let bySample (uses: ParameterUses) (positions: int[]) (columns: Tensor) : Tensor =
        let samples = length 1 columns
        let index = Tensor.ofIndices [ positions.Length ] positions |> Tensor.toDevice columns.Device

        let pull (cotangent: Tensor) =
            (Reverse.transpose uses.Program [| ValueSome cotangent |])[0]
            |> ValueOption.defaultWith (fun () ->
                Tensor.OfStorage(Storage.Full(uses.Program.Device, uses.Program.Variables[0], 0.0)))

        [
            for n in 0 .. samples - 1 ->
                Tensor.slice 1 n 1 columns
                |> Tensor.pad 1 n (samples - n - 1)
                |> vmap pull
                |> Tensor.take 1 index
                |> wide
        ]
        |> Tensor.stack 1
