namespace Curvature

open System.Collections.Generic
open Curvature.FSharp

/// What may be uses of the parameters of a program, and the rest of it.
[<NoEquality; NoComparison>]
type internal ProgramParts =
    {
        Candidates: UseCandidate list
        Views: Dictionary<int, ParameterView>
        /// The equations that neither make views nor are uses.
        Kept: Equation[]
    }

/// A linear program in θ is walked forward. Variables that are views of θ are followed; whatever else takes a view is a
/// use of parameters.
module internal ProgramWalk =

    /// Whether an equation multiplies a view by a constant in a way that is known, other than elementwise.
    let private multiplied (site: UseSite) (views: Dictionary<int, ParameterView>) =
        let equation = site.Program.Equations[site.Number]

        let withScale id make =
            match views[id] with
            | [ term ] -> ParameterViews.scale term |> ValueOption.map (make term)
            | _ -> ValueNone

        match equation.Primitive, equation.Operands with
        | (:? Einsum as einsum), [| Atom.Constant a; Atom.Variable w |] ->
            withScale w (UseCandidates.ofContraction site (einsum.Left, einsum.Right, einsum.Result) a)
        | (:? Einsum as einsum), [| Atom.Variable w; Atom.Constant a |] ->
            withScale w (UseCandidates.ofContraction site (einsum.Right, einsum.Left, einsum.Result) a)
        | (:? Convolve as convolve), [| Atom.Constant images; Atom.Variable w |] when
            convolve.Result = ConvolutionRole.Output && images.Rank = 4 && site.Program.Variables[w].Shape.Length = 4
            ->
            withScale w (UseCandidates.ofConvolution site convolve images)
        | _ -> ValueNone

    /// Whether an equation takes rows of a table that may belong to samples.
    let private looksUp (site: UseSite) (views: Dictionary<int, ParameterView>) (excluded: HashSet<int>) =
        let equation = site.Program.Equations[site.Number]

        match equation.Primitive, equation.Operands with
        | (:? Indexing.Gather as gather), [| Atom.Variable table; Atom.Constant index |] when
            gather.Axis = 0
            && gather.BatchAxes = 0
            && views[table].Length = 1
            && views[table].Head.Coefficient.IsNone
            && index.Rank > 0
            && index.Size % site.Samples = 0
            && not (excluded.Contains site.Number)
            ->
            ValueSome(UseCandidates.ofGather site index views[table].Head)
        | _ -> ValueNone

    /// Views and uses. Gathers that were found not to belong to samples are excluded.
    let walk samples (program: Program) (excluded: HashSet<int>) : ProgramParts =
        let views = Dictionary<int, ParameterView>()
        views[0] <- ParameterViews.ofInput program.Device program.Variables[0]
        let candidates, kept, elements = List<UseCandidate>(), List<Equation>(), HashSet<int>()

        let useElements (operands: Atom[]) =
            for operand in operands do
                match operand with
                | Atom.Variable id when views.ContainsKey id && elements.Add id ->
                    for term in views[id] do
                        candidates.Add(UseCandidates.ofElements samples program id term)
                | _ -> ()

        let isView atom =
            match atom with
            | Atom.Variable id -> views.ContainsKey id
            | Atom.Constant _ -> true

        for number in 0 .. program.Equations.Length - 1 do
            let equation = program.Equations[number]

            let takesView =
                equation.Operands
                |> Array.exists (fun atom ->
                    match atom with
                    | Atom.Variable id -> views.ContainsKey id
                    | Atom.Constant _ -> false)

            let found =
                if not takesView || not (Array.forall isView equation.Operands) then
                    ValueNone
                else
                    let site: UseSite = { Samples = samples; Program = program; Number = number }
                    looksUp site views excluded |> ValueOption.orElseWith (fun () -> multiplied site views)

            match found with
            | ValueSome candidate -> candidates.Add candidate
            | ValueNone ->
                let followed =
                    if takesView && Array.forall isView equation.Operands then
                        ParameterViews.follow program (fun id -> views[id]) equation
                    else
                        ValueNone

                match followed with
                | ValueSome made -> Array.iter2 (fun id view -> views[id] <- view) equation.Results made
                | ValueNone ->
                    useElements equation.Operands
                    kept.Add equation

        useElements program.Outputs
        { Candidates = List.ofSeq candidates; Views = views; Kept = kept.ToArray() }

    // ---- biases

    /// How often each variable is taken.
    let private takers (program: Program) (equations: Equation[]) : int[] =
        let counts = Array.zeroCreate program.Variables.Length

        let count atom =
            match atom with
            | Atom.Variable id -> counts[id] <- counts[id] + 1
            | Atom.Constant _ -> ()

        for equation in equations do
            Array.iter count equation.Operands

        Array.iter count program.Outputs
        counts

    /// The places of a bias [groups; outputs] that is the same at every position; otherwise nothing.
    let private ofBias (groups: int) (axes: UseAxes) (places: Tensor) : Tensor voption =
        let shape = places.Signature.Shape
        let width = axes.Groups @ axes.Outputs |> List.map (fun axis -> shape[axis]) |> UseCandidates.product

        let rows =
            UseCandidates.arrange 0 (axes.Positions @ axes.Groups @ axes.Outputs) [ places.Size / width; width ] places

        let first = Tensor.slice 0 0 1 rows
        let isSame = (Tensor.sum (Tensor.abs (rows - first))).ToScalar() = 0.0
        let distinct = first.ToArray() |> Array.distinct

        if isSame && distinct.Length = width && not (Array.contains 0.0 distinct) then
            ValueSome(Tensor.reshape [ groups; width / groups ] first)
        else
            ValueNone

    /// The candidate with a bias as the last row of its inputs.
    let private withBias (candidate: UseCandidate) (bias: Tensor) : UseCandidate =
        let places = Tensor.concat 1 [ candidate.Places; Tensor.unsqueeze 1 bias ]

        let finish ordered =
            match candidate.Finish ordered with
            | UseKind.Weights weights ->
                let inputs () =
                    let a = weights.Inputs()
                    let shape = List.ofArray a.Signature.Shape |> List.updateAt 3 1
                    Tensor.concat 3 [ a; a.Fill(List.toArray shape, 1.0) ]

                UseKind.Weights { Places = places; Inputs = inputs }
            | other -> other

        { candidate with Places = places; Finish = finish }

    /// What is added to nothing but the product of weights with inputs, and looks like a bias: the variables of the
    /// product and of what is added, and the places of the bias.
    let private findBiases (program: Program) (parts: ProgramParts) (products: Dictionary<int, UseCandidate>) =
        let taken = takers program parts.Kept
        let found = List<struct (int * int * Tensor)>()

        /// Products of weights, moved as a variable is: its places in the order of the product.
        let moved = Dictionary<int, struct (int * (Tensor -> Tensor))>()

        for id in products.Keys do
            moved[id] <- struct (id, (fun places -> places))

        let isMoved id = moved.ContainsKey id && taken[id] = 1

        let tryAdd id added =
            match moved.ContainsKey added, parts.Views.TryGetValue added with
            | false, (true, [ term ]) when taken[added] = 1 && term.Coefficient.IsNone ->
                let struct (product, toProduct) = moved[id]
                let c = products[product]

                match ofBias c.Places.Signature.Shape[0] c.Axes (toProduct term.Places) with
                | ValueSome bias ->
                    found.Add(struct (product, added, bias))
                    true
                | ValueNone -> false
            | _ -> false

        let follow (equation: Equation) id (back: Tensor -> Tensor) =
            let struct (product, toProduct) = moved[id]
            moved[equation.Results[0]] <- struct (product, back >> toProduct)

        for equation in parts.Kept do
            match equation.Primitive, equation.Operands with
            | (:? Elementwise as add), [| Atom.Variable a; Atom.Variable b |] when add.Op = Kernels.OpCode.Add ->
                // What is added to a product before its bias changes no gradient.
                if isMoved a then
                    if not (tryAdd a b) then follow equation a id
                elif isMoved b then
                    if not (tryAdd b a) then follow equation b id
            | (:? Structure.Permute as permute), [| Atom.Variable id |] when isMoved id ->
                follow equation id (Tensor.permute (List.ofArray permute.Inverse))
            | (:? Structure.Reshape), [| Atom.Variable id |] when isMoved id ->
                follow equation id (Tensor.reshape (List.ofArray program.Variables[id].Shape))
            | _ -> ()

        List.ofSeq found

    /// Biases become part of the weights whose products they are added to, where nothing else uses them.
    let mergeBiases (program: Program) (parts: ProgramParts) : UseCandidate list =
        let products = Dictionary<int, UseCandidate>()

        for c in parts.Candidates do
            if c.Equation.IsSome && c.Places.Rank = 3 then products[c.Variable] <- c

        let biases = findBiases program parts products
        let added = HashSet [ for struct (_, added, _) in biases -> added ]
        let uses = Dictionary<float, int>()

        let count (places: Tensor) =
            for place in places.ToArray() |> Array.distinct do
                uses[place] <- 1 + (if uses.ContainsKey place then uses[place] else 0)

        for struct (_, _, bias) in biases do
            count bias

        if not biases.IsEmpty then
            for c in parts.Candidates do
                if not (added.Contains c.Variable) then count c.Places

        let merged = HashSet<int>()

        for struct (product, added, bias) in biases do
            if bias.ToArray() |> Array.forall (fun place -> uses[place] = 1) then
                products[product] <- withBias products[product] bias
                merged.Add added |> ignore

        [
            for c in parts.Candidates do
                if products.ContainsKey c.Variable then products[c.Variable]
                elif not (merged.Contains c.Variable) then c
        ]
